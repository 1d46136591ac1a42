#include "status.h"
#include "ggml.h"
#include "llama.h"
#include <cstring>

namespace ruminate {

static constexpr size_t longest_log = 2000;
static std::string message;
static std::string log;

void set_message(std::string text) {
    message = std::move(text);
}

void clear_log() {
    log.clear();
}

std::string take_log() {
    std::string lines = std::move(log);
    log.clear();
    while (!lines.empty() && lines.back() == '\n') lines.pop_back();
    return lines;
}

int32_t fail(ruminate_status status, const char * what) {
    const std::string lines = take_log();
    message = lines.empty() ? what : lines;
    if (!lines.empty() && lines.find(what) == std::string::npos) message += std::string(" (") + what + ")";
    return status;
}

static void on_log(ggml_log_level level, const char * text, void *) {
    if (level == GGML_LOG_LEVEL_ERROR && log.size() + strlen(text) < longest_log) log += text;
}

// Called just before the trap: what it leaves here is all that JavaScript will have to tell.
static void on_abort(const char * text) {
    message = text;
}

void capture_messages() {
    llama_log_set(on_log, nullptr);
    ggml_set_abort_callback(on_abort);
}

} // namespace ruminate

int32_t ruminate_abi_version(void) {
    return 2;
}


const char * ruminate_message(void) {
    return ruminate::message.c_str();
}
