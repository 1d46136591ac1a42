// Training data from a file of nano/data.py, shuffled, in batches of samples of about one length.
#pragma once
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <map>
#include <memory>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

struct Batch {
  long rows = 0, length = 0;            // length: padded
  std::vector<uint16_t> input, target;  // [rows, length]
  std::vector<float> weight;            // [rows, length], 0 at padding
};

struct FileCloser {
  void operator()(FILE *file) const { fclose(file); }
};
using File = std::unique_ptr<FILE, FileCloser>;

inline File open_file(const std::string &path, const char *mode) {
  File file(fopen(path.c_str(), mode));
  if (!file) throw std::runtime_error("Cannot open " + path + ": no such file, or no permission");
  return file;
}

template <class T>
void read_all(FILE *file, const std::string &path, T *to, long count) {
  if (long(fread(to, sizeof(T), count, file)) != count)
    throw std::runtime_error("Cannot read " + path + ": it ends too early or is longer than expected");
}

class Batches {
public:
  long samples = 0, tokens = 0, longest = 0;

  Batches(const std::string &path, long batch_tokens) : batch_tokens(batch_tokens) {
    File file = open_file(path, "rb");
    int64_t counts[2];
    read_all(file.get(), path, counts, 2);
    samples = counts[0], tokens = counts[1];
    offsets.resize(samples + 1), ids.resize(tokens), weights.resize(tokens);
    read_all(file.get(), path, offsets.data(), samples + 1);
    read_all(file.get(), path, ids.data(), tokens);
    read_all(file.get(), path, weights.data(), tokens);
    for (long i = 0; i < samples; i++) longest = std::max(longest, padded_length(offsets[i + 1] - offsets[i]));
    order.resize(samples);
    for (long i = 0; i < samples; i++) order[i] = i;
    position = samples;
  }

  // Samples wait in a bucket of their padded length until it fills a batch. A new round is shuffled anew.
  Batch next(std::mt19937_64 &random) {
    for (;;) {
      if (position >= samples) {
        std::shuffle(order.begin(), order.end(), random);
        position = 0;
      }
      long i = order[position++], n = offsets[i + 1] - offsets[i];
      if (n < 4) continue;
      long length = padded_length(n);
      std::vector<long> &bucket = buckets[length];
      bucket.push_back(i);
      long filled = long(bucket.size()) * length;
      if (filled >= batch_tokens || filled + length > batch_tokens + batch_tokens / 4) {
        Batch batch = assemble(bucket, length);
        bucket.clear();
        return batch;
      }
    }
  }

private:
  long batch_tokens, position;
  std::vector<int64_t> offsets;
  std::vector<uint16_t> ids;
  std::vector<uint8_t> weights;
  std::vector<long> order;
  std::map<long, std::vector<long>> buckets;

  // Coarse enough that few matrix shapes occur, fine enough that little is padding (about 6 %).
  static long padded_length(long n) {
    long step = n <= 192 ? 16 : n <= 512 ? 32 : 128;
    return (n + step - 1) / step * step;
  }

  Batch assemble(const std::vector<long> &bucket, long length) const {
    Batch batch;
    batch.rows = long(bucket.size()), batch.length = length;
    batch.input.assign(batch.rows * length, 0), batch.target = batch.input, batch.weight.assign(batch.rows * length, 0);
    for (long row = 0; row < batch.rows; row++) {
      const long start = offsets[bucket[row]], n = offsets[bucket[row] + 1] - start;
      for (long t = 0; t + 1 < n; t++) {
        batch.input[row * length + t] = ids[start + t];
        batch.target[row * length + t] = ids[start + t + 1];
        batch.weight[row * length + t] = weights[start + t + 1] / 100.f;
      }
    }
    return batch;
  }
};
