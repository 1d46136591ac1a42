// What every call shares: its message, and the border that no exception passes.
#pragma once
#include "api.h"
#include <stdexcept>
#include <string>
#include <utility>

namespace ruminate {

// A failure with its status; anything else that is thrown becomes RUMINATE_INTERNAL, or the status its place stands for.
struct failure : std::runtime_error {
    ruminate_status status;
    failure(ruminate_status status, const std::string & message) : std::runtime_error(message), status(status) {}
};

void set_message(std::string text);
// The error lines that llama.cpp has logged since the last call, which say more than what it throws.
std::string take_log();
void clear_log();
// From now on llama.cpp's messages, and its last words, come here.
void capture_messages();
int32_t fail(ruminate_status status, const char * what);

// Runs `work`; turns what it throws into a status. `otherwise`: of exceptions that have none.
template <typename Work> int32_t guard(ruminate_status otherwise, Work && work) noexcept {
    clear_log();
    try {
        work();
        return RUMINATE_OK;
    } catch (const failure & error) {
        return fail(error.status, error.what());
    } catch (const std::bad_alloc &) {
        return fail(RUMINATE_MEMORY, "out of memory");
    } catch (const std::exception & error) {
        return fail(otherwise, error.what());
    } catch (...) {
        return fail(RUMINATE_INTERNAL, "an unknown exception");
    }
}

inline void require(bool holds, const char * message) {
    if (!holds) throw failure(RUMINATE_ARGUMENT, message);
}

} // namespace ruminate
