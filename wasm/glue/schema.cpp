#include "status.h"
#include "json-schema-to-grammar.h"
#include "json.h"
#include <string>
#include <vector>

using namespace ruminate;

// llama.cpp's converter wants these three of its library for programs, whose other parts need files, terminals and sockets.
std::string string_join(const std::vector<std::string> & parts, const std::string & separator) {
    std::string joined;
    for (size_t i = 0; i < parts.size(); i++) joined += i == 0 ? parts[i] : separator + parts[i];
    return joined;
}

std::string string_repeat(const std::string & text, size_t times) {
    std::string repeated;
    for (size_t i = 0; i < times; i++) repeated += text;
    return repeated;
}

std::vector<std::string> string_split(const std::string & text, const std::string & separator) {
    std::vector<std::string> parts;
    size_t from = 0;
    for (size_t at; (at = text.find(separator, from)) != std::string::npos; from = at + separator.size()) parts.push_back(text.substr(from, at - from));
    parts.push_back(text.substr(from));
    return parts;
}

int32_t ruminate_schema_to_grammar(const char * schema, size_t size) {
    return guard(RUMINATE_GRAMMAR, [&] { set_message(json_schema_to_grammar(common_json::parse(std::string(schema, size)))); });
}
