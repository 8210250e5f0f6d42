#include "datasets/csv_split.h"

#include "tests/catch.h"
#include "tests/datasets/fixtures.h"

using namespace innerloop;
using namespace innerloop::testing;

namespace {

std::string rows(const std::string& text) {
  std::string all;
  for (const auto& row : parse_labelled_files(text, "train.csv")) {
    all += concat(row.line, ":", row.filename, "=", row.label, " ");
  }
  return all;
}

std::string refused(const std::string& text) {
  return error_of([&] { parse_labelled_files(text, "train.csv"); });
}

std::string utf16(const std::u16string& text, bool big) {
  std::string bytes = big ? "\xfe\xff" : "\xff\xfe";
  for (const char16_t unit : text) {
    const char low = static_cast<char>(unit & 0xff), high = static_cast<char>(unit >> 8);
    bytes += big ? std::string{high, low} : std::string{low, high};
  }
  return bytes;
}

}  // namespace

TEST_CASE("lists read alike whatever ends their lines", "[datasets][csv]") {
  const std::string expected = "2:a.png=A 3:b.png=B 5:c.png=C ";
  CHECK(rows("filename,label\na.png,A\nb.png,B\n\nc.png,C") == expected);
  CHECK(rows("filename,label\r\na.png,A\r\nb.png,B\r\n\r\nc.png,C\r\n") == expected);
  CHECK(rows("filename,label\ra.png,A\rb.png,B\r\rc.png,C\r") == expected);
}

TEST_CASE("lists are read in UTF-8 and UTF-16", "[datasets][csv]") {
  const std::string expected = "2:汉.png=Äpfel 3:b.png=🍎 ";
  CHECK(rows("filename,label\n汉.png,Äpfel\nb.png,🍎\n") == expected);
  CHECK(rows("\xef\xbb\xbf"
             "filename,label\n汉.png,Äpfel\nb.png,🍎\n") == expected);
  for (const bool big : {false, true}) {
    CHECK(rows(utf16(u"filename,label\r\n汉.png,Äpfel\r\nb.png,🍎\r\n", big)) == expected);
  }
  CHECK_THAT(refused(utf16(u"filename,label\n", true) + "x"), contains("train.csv is damaged: UTF-16"));
  const auto unmarked = utf16(u"filename,label\na,b\n", false).substr(2);
  CHECK_THAT(refused(unmarked), contains("train.csv is no CSV text") && contains("byte order mark"));
}

TEST_CASE("an error of a list is one short printable line, whatever the list holds", "[datasets][csv]") {
  const std::string long_line(1200000, 'x');
  for (const auto& list : std::vector<std::string>{
           long_line, "filename,label\n" + long_line, std::string("\x89PNG\r\n\x1a\n\0\0", 10),
           std::string("\x1b[31m,\xff\xfe\n"), "filename,label\r\x1b[2J\xff\r"}) {
    const auto error = refused(list);
    CHECK(error.size() < 300);
    CHECK_THAT(error, StartsWith("train.csv"));
    CHECK(std::all_of(error.begin(), error.end(), [](char c) { return c >= ' ' && c <= '~'; }));
  }
}
