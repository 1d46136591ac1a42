// Matrix products by oneDNN, any strides, batched. Compiled products are kept, since few shapes come again and again.
#pragma once
#include <array>
#include <oneapi/dnnl/dnnl.hpp>
#include <type_traits>
#include <unordered_map>

#include "real.h"

// A (batch of a) matrix in memory: strides in elements.
struct Operand {
  const void *data;
  long batch_stride, row_stride, column_stride;
  bool is_f32;

  template <class T>
  Operand(const T *data, long batch, long row, long column)
      : data(data), batch_stride(batch), row_stride(row), column_stride(column), is_f32(std::is_same_v<T, float>) {}
};

class Matmul {  // one a thread: a oneDNN stream is not shared
public:
  // C[b][m,n] = A[b][m,k] B[b][k,n], or += with accumulate (then C is f32)
  void multiply(long batch, long m, long n, long k, Operand a, Operand b, Operand c, bool accumulate = false) {
    Product &product = find(batch, m, n, k, a, b, c, accumulate);
    product.a.set_data_handle(const_cast<void *>(a.data));  // oneDNN has no type for memory it only reads
    product.b.set_data_handle(const_cast<void *>(b.data));
    product.c.set_data_handle(const_cast<void *>(c.data));
    product.run.execute(stream, {{DNNL_ARG_SRC, product.a}, {DNNL_ARG_WEIGHTS, product.b}, {DNNL_ARG_DST, product.c}});
  }

  // A linear layer y[n,out] = x[n,in] w[out,in]^T and its two gradients
  template <class Real, class Out>
  void linear(long n, long out, long in, const Real *x, const Real *w, Out *y) {
    multiply(1, n, out, in, {x, 0, in, 1}, {w, 0, 1, in}, {y, 0, out, 1});
  }
  template <class Real, class Out>
  void linear_input_gradient(long n, long out, long in, const Real *dy, const Real *w, Out *dx) {
    multiply(1, n, in, out, {dy, 0, out, 1}, {w, 0, in, 1}, {dx, 0, in, 1});
  }
  template <class Real>
  void linear_weight_gradient(long n, long out, long in, const Real *dy, const Real *x, float *dw) {
    multiply(1, out, in, n, {dy, 0, 1, out}, {x, 0, in, 1}, {dw, 0, in, 1}, true);
  }

private:
  struct Product {
    dnnl::matmul run;
    dnnl::memory a, b, c;
  };
  using Key = std::array<long, 16>;
  struct Hash {
    size_t operator()(const Key &key) const {
      size_t hash = 7;
      for (long x : key) hash = hash * 1000003 + size_t(x);
      return hash;
    }
  };

  dnnl::engine engine{dnnl::engine::kind::cpu, 0};
  dnnl::stream stream{engine};
  std::unordered_map<Key, Product, Hash> products;

  Product &find(long batch, long m, long n, long k, const Operand &a, const Operand &b, const Operand &c, bool sum) {
    Key key{batch, m, n, k, a.batch_stride, a.row_stride, a.column_stride, b.batch_stride, b.row_stride,
            b.column_stride, c.batch_stride, c.row_stride, c.column_stride, a.is_f32, c.is_f32, sum};
    auto found = products.find(key);
    if (found != products.end()) return found->second;

    auto describe = [&](const Operand &x, long rows, long columns) {
      auto type = x.is_f32 ? dnnl::memory::data_type::f32 : dnnl::memory::data_type::bf16;
      using dims = dnnl::memory::dims;
      return batch == 1 ? dnnl::memory::desc({rows, columns}, type, dims{x.row_stride, x.column_stride})
                        : dnnl::memory::desc({batch, rows, columns}, type,
                                             dims{x.batch_stride, x.row_stride, x.column_stride});
    };
    auto a_desc = describe(a, m, k), b_desc = describe(b, k, n), c_desc = describe(c, m, n);
    dnnl::primitive_attr attributes;
    if (sum) {
      dnnl::post_ops post_ops;
      post_ops.append_sum(1.f);
      attributes.set_post_ops(post_ops);
    }
#if DNNL_VERSION_MAJOR >= 3
    dnnl::matmul::primitive_desc primitive(engine, a_desc, b_desc, c_desc, attributes);
#else
    dnnl::matmul::primitive_desc primitive(dnnl::matmul::desc(a_desc, b_desc, c_desc), attributes, engine);
#endif
    auto memory = [&](const dnnl::memory::desc &desc) { return dnnl::memory(desc, engine, DNNL_MEMORY_NONE); };
    Product product{dnnl::matmul(primitive), memory(a_desc), memory(b_desc), memory(c_desc)};
    return products.emplace(key, std::move(product)).first->second;
  }
};
