// Plain structs as text, both ways: the typed keys by which configuration files and the command line set
// them.
//
// Whoever owns a struct (a network, a data set, an environment, an algorithm) declares its keys beside it:
//
//   struct CaviaConfig {
//     int64_t contexts = 4;
//   };
//   inline const Keys<CaviaConfig> kCaviaKeys{
//       keys::whole("contexts", &CaviaConfig::contexts, 1, 1'000'000, "numbers of the context")};
//
// and reads the struct from what was set: kCaviaKeys.read({{"contexts", "4"}}). No torch in this header.
#pragma once

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <map>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace innerloop {

// Values by key, as text. Numbers, truth values and lists are written as Keys read them.
class Texts {
 public:
  class Value {
   public:
    Value(const char* text) : text_(text) {}
    Value(std::string text) : text_(std::move(text)) {}
    Value(bool value) : text_(value ? "true" : "false") {}
    Value(int value);
    Value(int64_t value);
    Value(double value);
    const std::string& text() const { return text_; }

   private:
    std::string text_;
  };

  Texts() = default;
  Texts(std::initializer_list<std::pair<const std::string, Value>> values) {
    for (const auto& [key, value] : values) set(key, value.text());
  }

  void set(const std::string& key, std::string value) { values_[key] = std::move(value); }
  bool contains(const std::string& key) const { return values_.count(key) != 0; }
  const std::map<std::string, std::string>& values() const { return values_; }
  bool operator==(const Texts&) const = default;

 private:
  std::map<std::string, std::string> values_;
};

// What a key needs of another one to have any effect: meta.max_kl that meta.optimizer is trpo.
struct Needs {
  std::string key;
  std::string expected;  // "trpo"
  std::function<bool(const std::string& value)> met;
};

// One key of a struct whose type is erased: `config` points to it.
struct Key {
  std::string name;      // "contexts"; within a section
  std::string meaning;   // one line for --help and the written configuration
  std::string expected;  // "a number above 0"
  // False if the text is not what `expected` says; the struct is then as before.
  std::function<bool(void* config, const std::string& text)> set;
  std::function<std::string(const void* config)> get;  // text that `set` reads back to the same value
  std::string initial = {};                            // the text of the default
  std::vector<std::string> known = {};                 // the values of a choice, or none
  bool determines_training = true;                     // may not change between the parts of one training
  std::optional<Needs> needs = std::nullopt;
  // The text as `get` writes it once it is set, nothing if it is refused: for who keeps texts, not the
  // struct.
  std::function<std::optional<std::string>(const std::string& text)> canonical = {};
};

// The number of digits that reads back to the same bits.
std::string format_number(int64_t value);
std::string format_number(uint64_t value);
std::string format_number(double value);

namespace keys {

inline constexpr double kLargest = 1e300;

struct Interval {
  double low, high;
  bool open_low, open_high;
  const char* text;
};
inline constexpr Interval kPositive{0, kLargest, true, false, "a number above 0"};
inline constexpr Interval kNotNegative{0, kLargest, false, false, "a number, at least 0"};
inline constexpr Interval kZeroToOne{0, 1, false, false, "a number from 0 to 1"};
inline constexpr Interval kAboveZeroToOne{0, 1, true, false, "a number above 0 and at most 1"};
inline constexpr Interval kBetweenZeroAndOne{0, 1, true, true, "a number above 0 and below 1"};

// Readers and writers of one value, shared by all structs.
bool read_whole(const std::string& text, int64_t low, int64_t high, int64_t& value);
bool read_seed(const std::string& text, uint64_t& value);
bool read_number(const std::string& text, const Interval& interval, double& value);
bool read_truth(const std::string& text, bool& value);
// "100,100"; "" and "none" are the empty list.
bool read_sizes(const std::string& text, int64_t high, std::vector<int64_t>& value);
bool read_numbers(const std::string& text, bool positive, std::vector<double>& value);
bool read_line(const std::string& text);  // a text that an INI file gives back as it is
std::string format_list(const std::vector<int64_t>& values);
std::string format_list(const std::vector<double>& values);
std::string whole_text(int64_t low, int64_t high);
std::string sizes_text(int64_t high);

template <class Config, class Value, class Read, class Write>
Key make(const char* name, Value Config::*member, const char* meaning, std::string expected, Read read,
         Write write) {
  Key key{name,
          meaning,
          std::move(expected),
          [member, read](void* config, const std::string& text) {
            Value value = static_cast<Config*>(config)->*member;
            if (!read(text, value)) return false;
            static_cast<Config*>(config)->*member = std::move(value);
            return true;
          },
          [member, write](const void* config) { return write(static_cast<const Config*>(config)->*member); },
          write(Config{}.*member)};
  key.canonical = [member, read, write](const std::string& text) -> std::optional<std::string> {
    Value value = Config{}.*member;
    if (!read(text, value)) return std::nullopt;
    return write(value);
  };
  return key;
}

// A whole number in [low, high].
template <class Config>
Key whole(const char* name, int64_t Config::*member, int64_t low, int64_t high, const char* meaning) {
  return make(
      name, member, meaning, whole_text(low, high),
      [low, high](const std::string& text, int64_t& value) { return read_whole(text, low, high, value); },
      [](int64_t value) { return format_number(value); });
}

template <class Config>
Key seed(const char* name, uint64_t Config::*member, const char* meaning) {
  return make(name, member, meaning, "a whole number, at least 0", read_seed,
              [](uint64_t value) { return format_number(value); });
}

template <class Config>
Key number(const char* name, double Config::*member, const Interval& interval, const char* meaning) {
  return make(
      name, member, meaning, interval.text,
      [interval](const std::string& text, double& value) { return read_number(text, interval, value); },
      [](double value) { return format_number(value); });
}

template <class Config>
Key truth(const char* name, bool Config::*member, const char* meaning) {
  return make(name, member, meaning, "true or false", read_truth,
              [](bool value) { return std::string(value ? "true" : "false"); });
}

Key with_known(Key key, std::vector<std::string> known);  // a choice among these

template <class Config>
Key choice(const char* name, std::string Config::*member, std::vector<std::string> known,
           const char* meaning) {
  const auto read = [known](const std::string& text, std::string& value) {
    for (const auto& word : known) {
      if (word == text) return value = text, true;
    }
    return false;
  };
  return with_known(make(name, member, meaning, "", read, [](const std::string& value) { return value; }),
                    std::move(known));
}

// Any text that an INI file gives back as it is; `empty`: also none.
template <class Config>
Key text(const char* name, std::string Config::*member, const char* expected, bool empty,
         const char* meaning) {
  return make(
      name, member, meaning, expected,
      [empty](const std::string& text, std::string& value) {
        if (!read_line(text) || (text.empty() && !empty)) return false;
        value = text;
        return true;
      },
      [](const std::string& value) { return value; });
}

// Whole numbers in [1, high] separated by commas, or none.
template <class Config>
Key sizes(const char* name, std::vector<int64_t> Config::*member, int64_t high, const char* meaning) {
  return make(
      name, member, meaning, sizes_text(high),
      [high](const std::string& text, std::vector<int64_t>& value) { return read_sizes(text, high, value); },
      [](const std::vector<int64_t>& value) { return format_list(value); });
}

template <class Config>
Key numbers(const char* name, std::vector<double> Config::*member, bool positive, const char* meaning) {
  return make(
      name, member, meaning, positive ? "numbers above 0 separated by commas" : "numbers separated by commas",
      [positive](const std::string& text, std::vector<double>& value) {
        return read_numbers(text, positive, value);
      },
      [](const std::vector<double>& value) { return format_list(value); });
}

Key free(Key key);                // may change between the parts of one training
Key needs(Key key, Needs needs);  // has an effect only then

// The keys of a struct that is a member of another, named "prefix" + name ("inner." + "steps").
template <class Outer, class Inner>
std::vector<Key> within(const std::string& prefix, Inner Outer::*member, const std::vector<Key>& inner) {
  std::vector<Key> out;
  for (const auto& key : inner) {
    Key named = key;
    named.name = prefix + key.name;
    named.set = [member, set = key.set](void* config, const std::string& text) {
      return set(&(static_cast<Outer*>(config)->*member), text);
    };
    named.get = [member, get = key.get](const void* config) {
      return get(&(static_cast<const Outer*>(config)->*member));
    };
    const Outer defaults{};
    named.initial = named.get(&defaults);
    out.push_back(std::move(named));
  }
  return out;
}

}  // namespace keys

// Sets `config` from `texts`. UsageError for a key that is not among `keys` and for a text that is not what
// its key expects; `owner` ("network conv4") knows the keys, `section` ("network") begins their names.
void set_all(void* config, const std::vector<Key>& keys, const Texts& texts, const std::string& owner,
             const std::string& section);

template <class Config>
class Keys {
 public:
  Keys() = default;
  Keys(std::initializer_list<Key> keys) : keys_(keys) {}
  explicit Keys(std::vector<Key> keys) : keys_(std::move(keys)) {}

  const std::vector<Key>& list() const { return keys_; }

  // The defaults with `texts` laid over them. UsageError as set_all.
  Config read(const Texts& texts, const std::string& owner, const std::string& section) const {
    Config config;
    set_all(&config, keys_, texts, owner, section);
    return config;
  }

 private:
  std::vector<Key> keys_;
};

struct NoSettings {};
inline const Keys<NoSettings> kNoKeys{};

}  // namespace innerloop
