// The model's dimensions. They are fixed: another size is another recipe.
#pragma once

struct Shape {
  int vocabulary = 1024;
  int width = 256;  // of the residual stream
  int layers = 6;
  int heads = 4;
  int kv_heads = 2;   // each is shared by heads / kv_heads query heads
  int head_width = 64;
  int rotary = 32;    // first dimensions of a head that carry the position
  int hidden = 512;   // of the feed-forward block
  int context = 512;  // trained length in tokens
  float norm_epsilon = 1e-5f;
  float rope_base = 10000.f;

  constexpr int q_width() const { return heads * head_width; }
  constexpr int kv_width() const { return kv_heads * head_width; }
  constexpr int qkv_width() const { return q_width() + 2 * kv_width(); }
  constexpr int heads_per_kv() const { return heads / kv_heads; }
};

inline constexpr Shape shape;  // a constant, so that loops over dimensions are unrolled for exactly these
