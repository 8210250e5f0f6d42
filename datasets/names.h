// Names of files and classes: bytes to the system, mostly UTF-8, in either of Unicode's two normal forms
// (macOS takes letters apart: e and an accent, where others write one character).
#pragma once

#include <string>
#include <vector>

namespace innerloop {

// The name with every letter taken apart and its marks in canonical order (Unicode's NFD): names that read
// the same have one form. Bytes that are not UTF-8 stay. ASCII is its own form.
std::string normal_form(const std::string& name);

// Always valid UTF-8 in one line: control characters and bytes that are not UTF-8 become \xNN. Whatever a
// protocol, a file of results or an error shows passes through here.
std::string printable(const std::string& bytes);

// 'text', printable, and cut to about `most` bytes with "..." behind it. A line of a damaged file may have
// megabytes.
std::string in_quotes(const std::string& text, size_t most = 80);

// "a, b, c and 12 more", printable; "" of none.
std::string some_of(const std::vector<std::string>& names, size_t most = 3);

// Adds a code point; one that does not exist, half a pair or beyond U+10FFFF, becomes U+FFFD.
void append_utf8(std::string& text, char32_t code);

// A to Z become a to z; other bytes stay.
std::string lower_case(std::string name);

}  // namespace innerloop
