// Values of typed keys (base/settings.h): the first byte chooses the kind of key, the others are the text.
// What a key takes it writes as a text that it takes as the same.
#include "base/row.h"
#include "base/settings.h"
#include "tests/fuzz/fuzz.h"

using namespace innerloop;
using namespace innerloop::fuzz;

namespace {

struct Config {
  int64_t whole = 1;
  uint64_t seed = 1;
  double number = 0.5;
  bool truth = false, spelled = false;
  std::string choice = "last", text;
  std::vector<int64_t> sizes{40, 40};
  std::vector<double> numbers{1};
};

const Keys<Config>& all_kinds() {
  static const Spellings<bool> spellings{{"stretch", false}, {"center", true}};
  static const Keys<Config> list{keys::whole("whole", &Config::whole, -5, 1'000'000, "a whole number"),
                                 keys::seed("seed", &Config::seed, "a seed"),
                                 keys::number("number", &Config::number, keys::kBetweenZeroAndOne, "a share"),
                                 keys::number("size", &Config::number, keys::kPositive, "a size"),
                                 keys::truth("truth", &Config::truth, "a truth value"),
                                 keys::choice("choice", &Config::choice, {"last", "all"}, "a choice"),
                                 keys::spelled("spelled", &Config::spelled, spellings, "a spelling"),
                                 keys::text("text", &Config::text, "a text without #", true, "a text"),
                                 keys::sizes("sizes", &Config::sizes, 1'000'000, "sizes"),
                                 keys::numbers("numbers", &Config::numbers, false, "numbers"),
                                 keys::numbers("above", &Config::numbers, true, "numbers above 0")};
  return list;
}

}  // namespace

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Input input(data, size);
  const auto& kinds = all_kinds().list();
  const Key& key = kinds[input.byte() % kinds.size()];
  const std::string text = input.rest();
  Texts texts;
  texts.set(key.name, text);
  Config config;
  const bool fits = taken([&] { config = all_kinds().read(texts, "the target", "it"); });
  const auto canonical = key.canonical(text);
  claim(canonical.has_value() == fits, "a key takes and refuses the same text");
  if (!fits) return 0;
  claim(key.get(&config) == *canonical, "a key writes a value in two ways");
  claim(key.canonical(*canonical) == canonical, "a key does not take what it writes: " + *canonical);
  taken([&] {
    throw UsageError(unknown_name("name", text, {"maml", "fomaml", "half_cheetah_velocity_gym"}));
  });
  return 0;
}
