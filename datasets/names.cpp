#include "datasets/names.h"

#include <algorithm>
#include <cstdio>

#include "base/error.h"
#include "datasets/unicode_tables.h"

namespace innerloop {
namespace {

constexpr char32_t kByte = 0x110000;  // kByte + b: the byte b, which is not UTF-8

// The code point at `at`, which moves behind it; kByte + b where no valid sequence begins.
char32_t next_code_point(const std::string& text, size_t& at) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(at);
  const size_t length = lead < 0x80   ? 1
                        : lead < 0xc2 ? 0
                        : lead < 0xe0 ? 2
                        : lead < 0xf0 ? 3
                        : lead < 0xf5 ? 4
                                      : 0;
  char32_t code = length == 1 ? lead : lead & (0x7fU >> length);
  bool valid = length > 0 && at + length <= text.size();
  for (size_t i = 1; valid && i < length; ++i) {
    valid = (byte(at + i) & 0xc0) == 0x80;
    code = code << 6 | (byte(at + i) & 0x3fU);
  }
  const bool overlong = (length == 3 && code < 0x800) || (length == 4 && code < 0x10000);
  const bool surrogate = code >= 0xd800 && code < 0xe000;
  if (!valid || overlong || surrogate || code >= kByte) {
    ++at;
    return kByte + lead;
  }
  at += length;
  return code;
}

void decompose(char32_t code, std::u32string& out) {
  constexpr char32_t kHangul = 0xac00, kHangulEnd = 0xd7a4;
  if (code >= kHangul && code < kHangulEnd) {  // the Unicode Standard, section 3.12
    const char32_t index = code - kHangul;
    out += {0x1100 + index / 588, 0x1161 + index % 588 / 28};
    if (index % 28 != 0) out += 0x11a7 + index % 28;
    return;
  }
  const auto& table = decompositions();
  const auto found = std::lower_bound(table.begin(), table.end(), code,
                                      [](const Decomposition& d, char32_t c) { return d.whole < c; });
  if (found == table.end() || found->whole != code) {
    out += code;
    return;
  }
  decompose(found->first, out);
  if (found->second != 0) decompose(found->second, out);
}

int mark_class(char32_t code) {
  const auto& table = mark_classes();
  const auto found = std::lower_bound(table.begin(), table.end(), code,
                                      [](const MarkClass& m, char32_t c) { return m.to < c; });
  return found != table.end() && found->from <= code ? found->number : 0;
}

bool is_control(char32_t code) {
  return code < 0x20 || (code >= 0x7f && code < 0xa0) || code == 0x2028 || code == 0x2029;
}

}  // namespace

void append_utf8(std::string& text, char32_t code) {
  const auto put = [&](char32_t byte) { text += static_cast<char>(byte); };
  if (code >= kByte || (code >= 0xd800 && code < 0xe000)) code = 0xfffd;
  if (code < 0x80) return put(code);
  if (code < 0x800) return put(0xc0 | code >> 6), put(0x80 | (code & 0x3f));
  if (code < 0x10000) {
    return put(0xe0 | code >> 12), put(0x80 | (code >> 6 & 0x3f)), put(0x80 | (code & 0x3f));
  }
  put(0xf0 | code >> 18), put(0x80 | (code >> 12 & 0x3f));
  put(0x80 | (code >> 6 & 0x3f)), put(0x80 | (code & 0x3f));
}

std::string normal_form(const std::string& name) {
  const auto ascii = [](char c) { return static_cast<unsigned char>(c) < 0x80; };
  if (std::all_of(name.begin(), name.end(), ascii)) return name;
  std::u32string codes;
  for (size_t at = 0; at < name.size();) decompose(next_code_point(name, at), codes);
  for (auto mark = codes.begin(); mark != codes.end();) {
    const auto is_base = [](char32_t code) { return mark_class(code) == 0; };
    const auto first = std::find_if_not(mark, codes.end(), is_base);
    mark = std::find_if(first, codes.end(), is_base);
    std::stable_sort(first, mark, [](char32_t a, char32_t b) { return mark_class(a) < mark_class(b); });
  }
  std::string form;
  for (const char32_t code : codes) {
    code < kByte ? append_utf8(form, code) : form.push_back(static_cast<char>(code - kByte));
  }
  return form;
}

std::string printable(const std::string& bytes) {
  std::string text;
  for (size_t at = 0; at < bytes.size();) {
    const size_t from = at;
    const char32_t code = next_code_point(bytes, at);
    if (code < kByte && !is_control(code)) {
      text.append(bytes, from, at - from);
      continue;
    }
    for (size_t i = from; i < at; ++i) {
      char escape[5];
      std::snprintf(escape, sizeof escape, "\\x%02X", static_cast<unsigned char>(bytes[i]));
      text += escape;
    }
  }
  return text;
}

std::string in_quotes(const std::string& text, size_t most) {
  if (text.size() <= most) return "'" + printable(text) + "'";
  size_t end = 0;
  for (size_t at = 0; at <= most; next_code_point(text, at)) end = at;
  return "'" + printable(text.substr(0, end)) + "...'";
}

std::string some_of(const std::vector<std::string>& names, size_t most) {
  std::vector<std::string> shown;
  for (size_t i = 0; i < std::min(most, names.size()); ++i) shown.push_back(printable(names[i]));
  return join(shown) + (names.size() > most ? concat(" and ", names.size() - most, " more") : "");
}

std::string lower_case(std::string name) {
  std::transform(name.begin(), name.end(), name.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return name;
}

}  // namespace innerloop
