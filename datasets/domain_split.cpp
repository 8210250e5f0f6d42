#include "datasets/domain_split.h"

#include <algorithm>
#include <numeric>
#include <optional>
#include <set>
#include <utility>

#include "base/error.h"
#include "datasets/names.h"

namespace innerloop {
namespace {

std::vector<Split> drawn_domains(int64_t domains, const ClassSplit& split) {
  const auto sizes = split_sizes(domains, split);
  std::vector<size_t> order(static_cast<size_t>(domains));
  std::iota(order.begin(), order.end(), size_t{0});
  Stream stream({.seed = split.seed, .purpose = Purpose::kDomainSplit});
  for (size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[stream.below(i)]);
  std::vector<Split> out(order.size(), Split::kTrain);
  for (size_t i = 0; i < order.size(); ++i) {
    const auto place = static_cast<int64_t>(i);
    if (sizes[0] > 0 && place >= sizes[0])
      out[order[i]] = place < sizes[0] + sizes[1] ? Split::kValidation : Split::kTest;
  }
  return out;
}

}  // namespace

std::vector<Split> split_domains(const std::vector<std::string>& names, const DomainSplit& split,
                                 const std::string& owner) {
  std::vector<Split> out;
  if (split.validation.empty() && split.test.empty()) {
    out = drawn_domains(static_cast<int64_t>(names.size()), split.drawn);
  } else {
    out.assign(names.size(), Split::kTrain);
    std::set<size_t> taken;
    const auto take = [&](const std::vector<std::string>& chosen, const char* key, Split as) {
      for (const auto& name : chosen) {
        const auto found = std::find_if(names.begin(), names.end(), [&](const std::string& known) {
          return normal_form(known) == normal_form(name);
        });
        require_usage(found != names.end(), "dataset.", key, ": ", unknown_name("domain", name, names));
        const auto place = static_cast<size_t>(found - names.begin());
        require_usage(taken.insert(place).second, "dataset.", key, ": the domain ", in_quotes(name),
                      " is named twice, expected at most once in validation_domains and test_domains");
        out[place] = as;
      }
    };
    take(split.validation, "validation_domains", Split::kValidation);
    take(split.test, "test_domains", Split::kTest);
  }
  const auto count = [&](Split which) { return std::count(out.begin(), out.end(), which); };
  require_usage(count(Split::kTrain) > 0, owner, ": of ", names.size(), " domains none is left for training");
  require_usage(count(Split::kTest) > 0, owner, ": of ", names.size(),
                " domains none is test's, expected at least one that is never trained on: name it by "
                "dataset.test_domains. The domains: ",
                some_of(names));
  return out;
}

std::string describe_domains(const std::vector<std::string>& names, const std::vector<Split>& splits) {
  std::string out;
  for (const auto which : {Split::kTrain, Split::kValidation, Split::kTest}) {
    std::vector<std::string> of;
    for (size_t i = 0; i < names.size(); ++i) {
      if (splits[i] == which) of.push_back(printable(names[i]));
    }
    out += concat(out.empty() ? "" : "; ", split_name(which), " ", of.empty() ? "none" : some_of(of));
  }
  return out;
}

namespace keys {

bool read_names(const std::string& text, std::vector<std::string>& names) {
  std::vector<std::string> read;
  if (!text.empty() && text != "none") {
    if (!read_line(text)) return false;
    for (size_t from = 0; from <= text.size();) {
      const size_t comma = std::min(text.find(',', from), text.size());
      size_t first = from, last = comma;
      while (first < last && text[first] == ' ') ++first;
      while (last > first && text[last - 1] == ' ') --last;
      if (first == last) return false;
      read.push_back(text.substr(first, last - first));
      from = comma + 1;
    }
  }
  if (std::set<std::string>(read.begin(), read.end()).size() != read.size()) return false;
  names = std::move(read);
  return true;
}

std::string format_names(const std::vector<std::string>& names) {
  return names.empty() ? "none" : join(names, ",");
}

}  // namespace keys
}  // namespace innerloop
