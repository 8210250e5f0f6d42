// Data sets of the contract battery: one that many learners share, and one of noise.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "datasets/dataset.h"
#include "datasets/domains.h"
#include "networks/tensors/tensor.h"

namespace innerloop {

// A data set that many learners share: drawing it anew for each takes most of a test's time.
class Shared : public Dataset, public Domains {
 public:
  explicit Shared(std::shared_ptr<const Dataset> of) : of_(std::move(of)) {}
  const DatasetSpec& spec() const override { return of_->spec(); }
  void check(Split split, const EpisodeShape& shape) const override { of_->check(split, shape); }
  void draw(Split split, const EpisodeShape& shape, Stream& stream, Episodes& episodes,
            int64_t t) const override {
    of_->draw(split, shape, stream, episodes, t);
  }
  int64_t classes(Split split) const override { return of_->classes(split); }
  Labelled draw_labelled(Split split, int64_t samples, Stream& stream,
                         torch::ScalarType dtype) const override {
    return of_->draw_labelled(split, samples, stream, dtype);
  }
  const std::vector<Domain>& domains(Split split) const override {
    static const std::vector<Domain> none;
    const Domains* found = domains_of(*of_);
    return found != nullptr ? found->domains(split) : none;
  }
  void check_domain(Split split, int64_t domain, const EpisodeShape& shape) const override {
    domains_of(*of_)->check_domain(split, domain, shape);
  }
  std::vector<int64_t> draw_within(Split split, int64_t domain, const EpisodeShape& shape, Stream& stream,
                                   Episodes& episodes, int64_t t) const override {
    return domains_of(*of_)->draw_within(split, domain, shape, stream, episodes, t);
  }

 private:
  std::shared_ptr<const Dataset> of_;
};

inline std::unique_ptr<Dataset> shared(const DatasetConfig& config) {
  static std::map<std::string, std::shared_ptr<const Dataset>> made;
  auto& dataset = made[config.name];
  if (!dataset) dataset = make_dataset(config);
  return std::make_unique<Shared>(dataset);
}

// Tasks of noise: no two numbers are equal, so that no unit switches within a difference.
class Noise : public Dataset, public Domains {
 public:
  // With domains: of classes 0-2, 3-6 and 7-9.
  Noise(std::vector<int64_t> input, bool classification, bool domains) {
    if (domains) domains_ = {{"first", 0, 3}, {"second", 3, 4}, {"third", 7, 3}};
    spec_.name = "noise";
    spec_.input = std::move(input);
    spec_.classification = classification;
  }
  const DatasetSpec& spec() const override { return spec_; }
  void check(Split, const EpisodeShape&) const override {}
  int64_t classes(Split) const override { return !spec_.classification ? 0 : domains_.empty() ? 7 : 10; }

  const std::vector<Domain>& domains(Split) const override { return domains_; }
  void check_domain(Split, int64_t, const EpisodeShape&) const override {}
  std::vector<int64_t> draw_within(Split split, int64_t domain, const EpisodeShape& shape, Stream& stream,
                                   Episodes& episodes, int64_t t) const override {
    draw(split, shape, stream, episodes, t);
    std::vector<int64_t> classes;
    for (int64_t i = 0; i < shape.ways; ++i)
      classes.push_back(domains_[static_cast<size_t>(domain)].first + i);
    return classes;
  }

  void draw(Split, const EpisodeShape& shape, Stream& stream, Episodes& episodes, int64_t t) const override {
    fill(episodes.support_x[t], stream);
    fill(episodes.query_x[t], stream);
    if (!spec_.classification) {
      fill(episodes.support_y[t], stream);
      fill(episodes.query_y[t], stream);
      return;
    }
    const auto labels = torch::arange(shape.ways, torch::kInt64);
    episodes.support_y[t].copy_(labels.repeat_interleave(shape.shots));
    episodes.query_y[t].copy_(labels.repeat_interleave(shape.queries));
  }

  Labelled draw_labelled(Split, int64_t samples, Stream& stream, torch::ScalarType dtype) const override {
    std::vector<int64_t> sizes{1, samples};
    sizes.insert(sizes.end(), spec_.input.begin(), spec_.input.end());
    const torch::Tensor x = torch::empty(sizes, torch::kFloat32);
    fill(x, stream);
    return {x.to(dtype), torch::arange(samples, torch::kInt64).remainder(7).unsqueeze(0)};
  }

 private:
  static void fill(torch::Tensor x, Stream& stream) {
    float* to = x.data_ptr<float>();
    for (int64_t i = 0; i < x.numel(); ++i) to[i] = static_cast<float>(stream.normal());
  }

  DatasetSpec spec_;
  std::vector<Domain> domains_;
};

}  // namespace innerloop
