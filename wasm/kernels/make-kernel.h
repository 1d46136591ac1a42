// The kernel of a weight format with one way to multiply.
#pragma once

#include "gemm.h"
#include "gemv.h"
#include "kernel.h"

namespace ruminate::kernels {

template <class Arithmetic, class Format> void quantize_for(const float * x, void * block) {
    constexpr WeightOffset offset = {Format::kOffset, Format::kScales == 2};
    quantize(x, offset, *(ActivationBlock<typename Arithmetic::Activation> *) block);
}

template <class Arithmetic, class Format> void quantize_tile_for(const float * const * rows, int n_rows, void * block) {
    constexpr WeightOffset offset = {Format::kOffset, Format::kScales == 2};
    quantize(rows, n_rows, offset, *(ActivationTile<typename Arithmetic::Activation> *) block);
}

template <class Format> void pack(const void * rows, int64_t n_blocks, void * panel) {
    auto * file  = (const typename Format::FileBlock *) rows;
    auto * block = (typename Format::Block *) panel;
    for (int64_t i = 0; i < n_blocks; i++) {
        for (int row = 0; row < kPanelRows; row++) {
            Format::pack(file[row * n_blocks + i], row, block[i]);
        }
    }
}

template <class Arithmetic, class Format, bool InPlace = false> const Kernel * make_kernel() {
    constexpr int  kScales     = Format::kScales;
    constexpr bool kHasMinimum = Format::kHasMinimum;
    static const Kernel kernel = {
        kBlock * Format::kBlocks,
        sizeof(typename Format::FileBlock),
        sizeof(typename Format::Block),
        sizeof(Unpacked<Format>),
        sizeof(ActivationBlock<typename Arithmetic::Activation>),
        sizeof(ActivationTile<typename Arithmetic::Activation>),
        quantize_for<Arithmetic, Format>,
        quantize_tile_for<Arithmetic, Format>,
        pack<Format>,
        unpack<Format>,
        gemv<Arithmetic, Format, InPlace>,
        tile<Arithmetic, kScales, kHasMinimum>,
    };
    return &kernel;
}

} // namespace ruminate::kernels
