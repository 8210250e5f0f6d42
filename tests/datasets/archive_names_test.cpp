#include <locale.h>

#include "datasets/archive.h"
#include "tests/catch.h"
#include "tests/datasets/fixtures.h"
#include "tests/datasets/read_all.h"

using namespace innerloop;
using namespace innerloop::testing;

namespace {

// Whether the names of the archive's entries are said to be UTF-8 (bit 11 of their flags).
void set_utf8_flag(const fs::path& zip, bool set) {
  auto bytes = read_bytes(zip);
  const auto mark = [&](const std::string& signature, int64_t flags) {
    for (auto at = bytes.begin();; ++at) {
      at = std::search(at, bytes.end(), signature.begin(), signature.end());
      if (at == bytes.end()) return;
      auto& high = *(at + flags + 1);
      high = static_cast<uint8_t>(set ? high | 8 : high & ~8);
    }
  };
  mark("PK\x03\x04", 6);
  mark("PK\x01\x02", 8);
  write_bytes(zip, bytes);
}

class Locale {
 public:
  explicit Locale(const char* name) { require(setlocale(LC_ALL, name) != nullptr, "no locale ", name); }
  ~Locale() { setlocale(LC_ALL, "C"); }
  Locale(const Locale&) = delete;
  Locale& operator=(const Locale&) = delete;
};

}  // namespace

TEST_CASE("names are UTF-8 whatever the locale, the archive and its flag", "[datasets][archive]") {
  const Locale locale(GENERATE("C", "C.UTF-8"));
  const Folder folder;
  Files files;
  for (const std::string name : {"Äpfel", "汉字", "€", "🍎/🍏", "한글", "plain"}) {
    files.emplace_back("train/" + name + "/x.png", text(name));
  }
  write_folder(folder / "tree", files);
  const auto expected = read_all(folder / "tree");
  REQUIRE(expected.size() == files.size());
  for (const bool flag : {false, true}) {
    CAPTURE(flag);
    write_zip(folder / "x.zip", files, false);
    set_utf8_flag(folder / "x.zip", flag);
    CHECK(read_all(folder / "x.zip") == expected);
  }
  write_tar(folder / "gnu.tar", files);
  CHECK(read_all(folder / "gnu.tar") == expected);
  {
    const Locale utf8("C.UTF-8");  // to write names into a pax header
    write_tar(folder / "pax.tar", files, Tar::kPax);
  }
  CHECK(read_all(folder / "pax.tar") == expected);
}

TEST_CASE("names in either normal form are found again, in the same order", "[datasets][archive]") {
  const Folder folder;
  const std::string apart = "A\u0308pfel", whole = "\u00c4pfel";
  const auto files = [](const std::string& name) {
    return Files{{"B/x.png", text("1")}, {name + "/x.png", text("2")}, {"z.png", text("3")}};
  };
  write_folder(folder / "apart", files(apart));
  write_folder(folder / "whole", files(whole));
  CHECK(list_files(folder / "apart").files == std::vector<std::string>{apart + "/x.png", "B/x.png", "z.png"});
  CHECK(list_files(folder / "whole").files == std::vector<std::string>{whole + "/x.png", "B/x.png", "z.png"});
  const bool flag = GENERATE(false, true);
  CAPTURE(flag);
  write_zip(folder / "apart.zip", files(apart), false);
  set_utf8_flag(folder / "apart.zip", flag);
  CHECK(read_all(folder / "apart.zip") == read_all(folder / (flag ? "whole" : "apart")));
  const Locale utf8("C.UTF-8");
  write_tar(folder / "apart.tar", files(apart), Tar::kPax);
  CHECK(read_all(folder / "apart.tar")[0].second == text("2"));
}

TEST_CASE("names that are not UTF-8 are bytes, and shown escaped", "[datasets][archive]") {
  const Folder folder;
  const Files files{{"\xc4pfel/x\n.png", text("1")}};
  write_folder(folder / "tree", files);
  write_zip(folder / "x.zip", files, false);
  set_utf8_flag(folder / "x.zip", false);
  write_tar(folder / "x.tar", files);
  for (const auto name : {"tree", "x.zip", "x.tar"}) {
    CAPTURE(name);
    CHECK(read_all(folder / name) == files);
    CHECK_THAT(entry_name(folder / name, files[0].first), EndsWith("\\xC4pfel/x\\x0A.png"));
  }
  set_utf8_flag(folder / "x.zip", true);  // a flag that lies
  CHECK_THAT(error_of([&] { read_all(folder / "x.zip"); }),
             contains("x.zip is damaged") && contains("name") && contains("UTF-8"));
}
