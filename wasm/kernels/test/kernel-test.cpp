// Compares the kernels with scalar references. Exits with 1 if a case fails.
//   kernel-test [threads], 1 by default
#include "dot-kind.h"
#include "ggml-cpu.h"
#include "report.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

namespace ruminate::kernels::test {

static int n_failures;

void report(bool ok, const char * name, const char * detail_format, ...) {
    printf(ok ? "ok %s" : "FAIL %s ", name);
    if (!ok) {
        n_failures++;
        va_list args;
        va_start(args, detail_format);
        vprintf(detail_format, args);
        va_end(args);
    }
    printf("\n");
}

int failures() {
    return n_failures;
}

} // namespace ruminate::kernels::test

int main(int argc, char ** argv) {
    using namespace ruminate::kernels::test;
    const int n_threads = argc > 1 ? atoi(argv[1]) : 1;
    printf("# dot kind %d\n", ruminate_dot_kind());
    ggml_cpu_init();
    test_float_vectors();
    test_quantized_rows();
    test_kernels();
    test_panel_buffer(n_threads);
    test_attention(n_threads);
    return failures() > 0;
}
