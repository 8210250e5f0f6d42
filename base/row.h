// Tables of what is chosen by name (environments, policies, data sets, networks), whose rows bring keys of
// their own, and tables of spellings, which a parser and a key share.
#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "base/named_description.h"
#include "base/settings.h"

namespace innerloop {

struct Row {
  std::string name;
  std::string description;  // one line
  std::vector<Key> keys;    // beside those that all rows of the table have
};

template <class Table>
std::vector<Row> rows_of(const Table& table) {
  return {table.begin(), table.end()};
}

// The row of this name. UsageError with the nearest and all known names.
template <class Table>
const auto& find_named(const std::string& kind, const Table& table, const std::string& name) {
  for (const auto& row : table) {
    if (row.name == name) return row;
  }
  throw UsageError(unknown_name(kind, name, names_of(table)));
}

// One value of an enumeration, or of a bool, as configurations write it.
template <class Value>
struct Spelling {
  std::string name;
  Value value;
};
template <class Value>
using Spellings = std::vector<Spelling<Value>>;

namespace keys {

template <class Config, class Value>
Key spelled(const char* name, Value Config::*member, const Spellings<Value>& spellings, const char* meaning) {
  const auto read = [spellings](const std::string& text, Value& value) {
    for (const auto& spelling : spellings) {
      if (spelling.name == text) return value = spelling.value, true;
    }
    return false;
  };
  const auto write = [spellings](const Value& value) {
    for (const auto& spelling : spellings) {
      if (spelling.value == value) return spelling.name;
    }
    throw Error("a value of an enumeration has no spelling");
  };
  return with_known(make(name, member, meaning, "", read, write), names_of(spellings));
}

}  // namespace keys
}  // namespace innerloop
