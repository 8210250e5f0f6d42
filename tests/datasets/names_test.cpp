#include "datasets/names.h"

#include "tests/catch.h"

using namespace innerloop;

TEST_CASE("names that read the same have one normal form", "[datasets][names]") {
  CHECK(normal_form("Äpfel") == "A\u0308pfel");
  CHECK(normal_form("A\u0308pfel") == "A\u0308pfel");
  CHECK(normal_form("\u1ed9") == "o\u0323\u0302");        // decomposes twice
  CHECK(normal_form("\u00e9\u0316") == "e\u0316\u0301");  // the mark below comes first
  CHECK(normal_form("o\u0302\u0323") == normal_form("\u1ed9"));
  CHECK(normal_form("\u212b") == "A\u030a");  // the angstrom sign is a letter
  CHECK(normal_form("\ud55c\uae00") == "\u1112\u1161\u11ab\u1100\u1173\u11af");
  CHECK(normal_form("\u304c") == "\u304b\u3099");
  CHECK(normal_form("a\u0301\u0300") != normal_form("a\u0300\u0301"));  // marks of one class keep their order
  for (const std::string name : {"", "plain name.png", "汉字", "🍎", "€", "\xff\xfe", "x\xe4\xcc"}) {
    CHECK(normal_form(name) == name);
  }
}

TEST_CASE("what is shown is valid UTF-8 in one line", "[datasets][names]") {
  for (const std::string name : {"", "plain name.png", "Äpfel", "A\u0308pfel", "汉字", "🍎", "€", "a\\b'\""}) {
    CHECK(printable(name) == name);
  }
  CHECK(printable("\xc4pfel") == "\\xC4pfel");
  CHECK(printable("a\nb\t\x7f\r") == "a\\x0Ab\\x09\\x7F\\x0D");
  CHECK(printable("\xc2\x85") == "\\xC2\\x85");                               // a control character, too
  CHECK(printable("\xc0\xaf \xe0\x80\xaf") == "\\xC0\\xAF \\xE0\\x80\\xAF");  // overlong
  CHECK(printable("\xed\xa0\x80") == "\\xED\\xA0\\x80");                      // half a pair
  CHECK(printable("\xf5\x80\x80\x80\xf4\x90\x80\x80") == "\\xF5\\x80\\x80\\x80\\xF4\\x90\\x80\\x80");
  CHECK(printable("汉\xe6\xb1") == "汉\\xE6\\xB1");  // cut inside a character
  CHECK(printable(std::string("a\0b", 3)) == "a\\x00b");
}

TEST_CASE("what is quoted is short and ends between characters", "[datasets][names]") {
  CHECK(in_quotes("line\r") == "'line\\x0D'");
  CHECK(in_quotes("abcdef", 6) == "'abcdef'");
  CHECK(in_quotes("abcdefg", 6) == "'abcdef...'");
  CHECK(in_quotes("汉字汉字", 7) == "'汉字...'");
  CHECK(in_quotes(std::string(2000000, '\0')).size() < 400);
}

TEST_CASE("of many names a few are shown and the others counted", "[datasets][names]") {
  CHECK(some_of({}).empty());
  CHECK(some_of({"a", "b\xff"}) == "a, b\\xFF");
  CHECK(some_of({"a", "b", "c"}) == "a, b, c");
  CHECK(some_of({"a", "b", "c", "d", "e"}) == "a, b, c and 2 more");
}
