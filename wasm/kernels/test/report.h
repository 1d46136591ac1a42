// One line for each case: "ok <name>" or "FAIL <name> <detail>".
#pragma once

namespace ruminate::kernels::test {

void report(bool ok, const char * name, const char * detail_format, ...) __attribute__((format(printf, 3, 4)));

int failures();

// The parts of the program.
void test_float_vectors();
void test_quantized_rows();
void test_kernels();
void test_panel_buffer(int n_threads);
void test_attention(int n_threads);

} // namespace ruminate::kernels::test
