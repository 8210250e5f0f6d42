#include "base/settings.h"

#include "base/error.h"
#include "base/row.h"
#include "tests/catch.h"

using namespace innerloop;

namespace {

enum class Colour { kRed, kBlue };

struct Everything {
  int64_t count = 3;
  uint64_t seed = 1;
  double size = 0.5, share = 1;
  bool open = false;
  std::string kind = "round", path;
  std::vector<int64_t> layers{40, 40};
  std::vector<double> mean{0};
  Colour colour = Colour::kBlue;
};

const std::vector<Key>& all_keys() {
  using E = Everything;
  static const std::vector<Key> all{
      keys::whole("count", &E::count, 1, 10, ""),
      keys::seed("seed", &E::seed, ""),
      keys::number("size", &E::size, keys::kPositive, ""),
      keys::number("share", &E::share, keys::kAboveZeroToOne, ""),
      keys::truth("open", &E::open, ""),
      keys::choice("kind", &E::kind, {"round", "square"}, ""),
      keys::text("path", &E::path, "a path", true, ""),
      keys::sizes("layers", &E::layers, 100, ""),
      keys::numbers("mean", &E::mean, false, ""),
      keys::spelled("colour", &E::colour, {{"red", Colour::kRed}, {"blue", Colour::kBlue}}, "")};
  return all;
}

const Key& key(const std::string& name) { return find_named("key", all_keys(), name); }

}  // namespace

TEST_CASE("a key of each kind reads its own text back to the same value", "[settings]") {
  for (const auto& each : all_keys()) {
    INFO(each.name);
    Everything fresh, read;
    CHECK(each.get(&fresh) == each.initial);
    CHECK(each.set(&read, each.initial));
    CHECK(each.get(&read) == each.initial);
    CHECK(each.canonical(each.initial) == each.initial);
  }
  const std::vector<std::pair<std::string, std::string>> others{
      {"count", "10"},    {"seed", "18446744073709551615"},
      {"size", "0.1"},    {"share", "1e-300"},
      {"open", "true"},   {"kind", "square"},
      {"path", "a b/c"},  {"layers", "none"},
      {"mean", "0.5,-2"}, {"colour", "red"}};
  for (const auto& [name, text] : others) {
    INFO(name);
    Everything config;
    CHECK(key(name).set(&config, text));
    CHECK(key(name).get(&config) == text);
    CHECK(key(name).canonical(text) == text);
    CHECK(text != key(name).initial);
  }
  Everything config;
  CHECK(key("layers").set(&config, " 8,  9"));
  CHECK(config.layers == std::vector<int64_t>{8, 9});
  CHECK(key("layers").canonical(" 8,  9") == "8,9");
  CHECK(key("colour").set(&config, "red"));
  CHECK(config.colour == Colour::kRed);
}

TEST_CASE("what a key does not expect is refused, at its bounds too, and leaves the struct as it was",
          "[settings]") {
  const std::vector<std::pair<std::string, std::vector<std::string>>> refused{
      {"count",
       {"0", "11", "-1", "1.5", "", " 3", "3 ", "0x3", "4611686018427387904", "99999999999999999999"}},
      {"seed", {"-1", "18446744073709551616", "1e3", ""}},
      {"size", {"0", "-1", "nan", "inf", "1e999", "fast", ""}},
      {"share", {"0", "1.0000001", "-0.5"}},
      {"open", {"yes", "1", "True", ""}},
      {"kind", {"Round", "", "oval"}},
      {"path", {"a#b", "a\nb", " a", "a "}},
      {"layers", {"0", "101", "1,,2", "1 2", ",", "1,-1", "1.5"}},
      {"mean", {"", "none", "0,x", "inf"}},
      {"colour", {"green", "0", ""}}};
  for (const auto& [name, texts] : refused) {
    for (const auto& text : texts) {
      CAPTURE(name, text);
      Everything config;
      CHECK_FALSE(key(name).set(&config, text));
      CHECK(key(name).get(&config) == key(name).initial);
      CHECK_FALSE(key(name).canonical(text));
    }
  }
  CHECK(key("count").expected == "a whole number from 1 to 10");
  CHECK(key("layers").expected == "whole numbers from 1 to 100 separated by commas, or none");
  CHECK(key("kind").expected == "one of round, square");
  CHECK(key("colour").known == std::vector<std::string>{"red", "blue"});
}

TEST_CASE("a struct is read from texts, and a key or value that is not known teaches", "[settings]") {
  const Keys<Everything> known(all_keys());
  const auto read =
      known.read({{"count", 7}, {"size", 0.25}, {"open", true}, {"kind", "square"}}, "shop a", "shop");
  CHECK(read.count == 7);
  CHECK(read.size == 0.25);
  CHECK(read.open);
  CHECK(read.kind == "square");
  CHECK(read.seed == 1);
  const auto message = [&](const Texts& texts) {
    try {
      known.read(texts, "shop a", "shop");
    } catch (const UsageError& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  CHECK_THAT(message({{"conut", 7}}), contains("shop.conut: shop a does not know this key") &&
                                          contains("did you mean 'shop.count'?") &&
                                          contains("its own keys are"));
  CHECK_THAT(message({{"count", 11}}), contains("shop.count is '11', expected a whole number from 1 to 10"));
  CHECK_THAT(message({{"kind", "sqare"}}), contains("did you mean 'square'?"));
  CHECK_THROWS_WITH(kNoKeys.read({{"a", 1}}, "shop b", "shop"), contains("it has none of its own"));
}

TEST_CASE("the keys of a member are keys of the whole, with the whole's defaults", "[settings]") {
  struct Whole {
    Everything part{.count = 9};
  };
  const auto named = keys::within("part.", &Whole::part, all_keys());
  REQUIRE(named.size() == all_keys().size());
  CHECK(named[0].name == "part.count");
  CHECK(named[0].initial == "9");
  Whole whole;
  CHECK(named[0].set(&whole, "2"));
  CHECK(whole.part.count == 2);
  CHECK(named[0].get(&whole) == "2");
  CHECK_FALSE(named[0].set(&whole, "11"));
  CHECK(keys::free(named[0]).determines_training == false);
}

TEST_CASE("a text is one line as an INI file gives it back", "[settings]") {
  for (const auto text : {"", "a b", "C:\\data", "[x]", "a\tb"}) CHECK(keys::read_line(text));
  for (const auto text : {" a", "a ", "\ta", "a\t", "\t", " ", "a#b", "a\nb", "a\r"}) {
    CAPTURE(text);
    CHECK_FALSE(keys::read_line(text));
  }
}
