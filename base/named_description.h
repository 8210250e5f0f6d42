// A row of a table as lists and help texts show it: an environment, a policy, a network, an algorithm, ...
#pragma once

#include <string>
#include <vector>

namespace innerloop {

struct NamedDescription {
  std::string name;
  std::string description;  // one line
};

template <class Table>
std::vector<std::string> names_of(const Table& table) {
  std::vector<std::string> names;
  for (const auto& row : table) names.emplace_back(row.name);
  return names;
}

}  // namespace innerloop
