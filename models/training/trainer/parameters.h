// All weights in one flat f32 array; nano/export.py and nano/reference.py read it in this order.
#pragma once
#include <cmath>
#include <random>
#include <string>
#include <vector>

#include "shape.h"

struct Parameter {
  std::string name;
  long offset, rows, columns;
  bool is_matrix;       // inside the layers: trained by Muon, the rest by Adam
  bool is_random;       // starts at scale * normal, else at scale
  float scale;
  long size() const { return rows * columns; }
};

struct LayerOffsets {
  long attention_norm;       // [width]
  long qkv, qkv_bias;        // [qkv_width, width], [qkv_width]
  long attention_out;        // [width, q_width]
  long post_attention_norm;  // [width]
  long mlp_norm;             // [width]
  long gate_up;              // [2 * hidden, width]: gate rows, then up rows
  long down;                 // [width, hidden]
  long post_mlp_norm;        // [width]
};

class Layout {
public:
  std::vector<Parameter> parameters;
  std::vector<LayerOffsets> layers;
  long embedding, final_norm, output;  // [vocabulary, width], [width], [vocabulary, width]
  long size = 0;

  Layout() {
    const int d = shape.width, f = shape.hidden;
    const float branch = 1 / std::sqrt(2.f * shape.layers);  // the residual stream keeps its size over the layers
    embedding = add("embedding", shape.vocabulary, d, false, true, 0.3f);
    for (int l = 0; l < shape.layers; l++) {
      std::string prefix = std::to_string(l) + ".";
      LayerOffsets at;
      at.attention_norm = add(prefix + "attention_norm", 1, d, false, false, 1);
      at.qkv = add(prefix + "qkv", shape.qkv_width(), d, true, true, 1 / std::sqrt(float(d)));
      at.qkv_bias = add(prefix + "qkv_bias", 1, shape.qkv_width(), false, false, 0);
      at.attention_out = add(prefix + "attention_out", d, shape.q_width(), true, true,
                             1 / std::sqrt(float(shape.q_width())));
      at.post_attention_norm = add(prefix + "post_attention_norm", 1, d, false, false, branch);
      at.mlp_norm = add(prefix + "mlp_norm", 1, d, false, false, 1);
      at.gate_up = add(prefix + "gate_up", 2 * f, d, true, true, 1 / std::sqrt(float(d)));
      at.down = add(prefix + "down", d, f, true, true, 1 / std::sqrt(float(f)));
      at.post_mlp_norm = add(prefix + "post_mlp_norm", 1, d, false, false, branch);
      layers.push_back(at);
    }
    final_norm = add("final_norm", 1, d, false, false, 1);
    output = add("output", shape.vocabulary, d, false, true, 0.02f);
  }

  std::vector<float> initial_weights(std::mt19937_64 &random) const {
    std::vector<float> weights(size);
    std::normal_distribution<float> normal;
    for (const Parameter &p : parameters)
      for (long i = 0; i < p.size(); i++) weights[p.offset + i] = p.is_random ? normal(random) * p.scale : p.scale;
    return weights;
  }

private:
  long add(std::string name, long rows, long columns, bool is_matrix, bool is_random, float scale) {
    parameters.push_back({std::move(name), size, rows, columns, is_matrix, is_random, scale});
    size += rows * columns;
    return parameters.back().offset;
  }
};
