// Domains shared out to training, validation and test: as they are named or, where none is, by chance.
#pragma once

#include <string>
#include <vector>

#include "base/settings.h"
#include "datasets/class_split.h"
#include "datasets/dataset_config.h"

namespace innerloop {

struct DomainSplit {
  // By name, compared by normal_form; the others are training's. Both empty: drawn.
  std::vector<std::string> validation, test;
  ClassSplit drawn;  // shares of the domains, and a seed of its own streams
};

// The split of each of these domains of the data set `owner`. UsageError for a name that is none of them, one
// that is named twice, shares that are no shares, and where no domain is left for training or none for test.
std::vector<Split> split_domains(const std::vector<std::string>& names, const DomainSplit& split,
                                 const std::string& owner);

// "train pen, brush; validation noisy; test outline", the first few of each.
std::string describe_domains(const std::vector<std::string>& names, const std::vector<Split>& splits);

namespace keys {

// "a,b"; "" and "none" are the empty list. False for empty names and names that are there twice.
bool read_names(const std::string& text, std::vector<std::string>& names);
std::string format_names(const std::vector<std::string>& names);

}  // namespace keys

// The keys validation_domains, test_domains, split and split_seed of a struct with a field DomainSplit
// domains.
template <class Settings>
std::vector<Key> domain_keys() {
  const auto names = [](const char* name, std::vector<std::string> DomainSplit::*list, const char* meaning) {
    return keys::make(
        name, &Settings::domains, meaning, "names separated by commas, or none",
        [list](const std::string& text, DomainSplit& split) { return keys::read_names(text, split.*list); },
        [list](const DomainSplit& split) { return keys::format_names(split.*list); });
  };
  return {
      names("validation_domains", &DomainSplit::validation, "domains of the validation split"),
      names("test_domains", &DomainSplit::test,
            "domains of the test split; those named nowhere are training's, none named: drawn"),
      keys::make(
          "split", &Settings::domains, "training, validation and test, of domains that are drawn",
          "three shares separated by commas",
          [](const std::string& text, DomainSplit& split) { return keys::read_shares(text, split.drawn); },
          [](const DomainSplit& split) { return keys::format_shares(split.drawn); }),
      keys::make(
          "split_seed", &Settings::domains, "another one, other domains in each split where they are drawn",
          "a whole number, at least 0",
          [](const std::string& text, DomainSplit& split) { return keys::read_seed(text, split.drawn.seed); },
          [](const DomainSplit& split) { return format_number(split.drawn.seed); })};
}

}  // namespace innerloop
