#include "meta/algorithms/tsa_maml.h"

#include <algorithm>
#include <map>

#include "base/error.h"
#include "meta/gradient_algorithm.h"
#include "networks/tensors/k_means.h"

namespace innerloop {
namespace {

using torch::Tensor;

struct TsaMamlConfig {
  int64_t groups = 5;
  int64_t solutions = 10'000;
  int64_t assign_steps = 20;
  int64_t restarts = 10;
};

const Keys<TsaMamlConfig>& tsa_maml_keys() {
  static const Keys<TsaMamlConfig> list{
      keys::whole("groups", &TsaMamlConfig::groups, 1, 1'000,
                  "clusters of tasks, each with an initialisation"),
      keys::whole("solutions", &TsaMamlConfig::solutions, 1, 1'000'000, "training tasks that are clustered"),
      keys::whole("assign_steps", &TsaMamlConfig::assign_steps, 1, 10'000,
                  "inner steps to a task's solution"),
      keys::whole("restarts", &TsaMamlConfig::restarts, 1, 1'000,
                  "runs of k-means, the best of which counts")};
  return list;
}

constexpr const char* kCentres = "centres";
constexpr const char* kQueue = "queue";

// Tasks of the clustering and of the training, by their second number (TaskSource::tasks).
constexpr int64_t kTrained = 0, kClustered = 1;

std::string prefix(int64_t group) { return concat("group", group, "/"); }

Episodes joined(const std::vector<Episodes>& parts) {
  std::vector<Tensor> tensors[4];
  for (const auto& e : parts) {
    tensors[0].push_back(e.support_x);
    tensors[1].push_back(e.query_x);
    tensors[2].push_back(e.support_y);
    tensors[3].push_back(e.query_y);
  }
  return {torch::cat(tensors[0]), torch::cat(tensors[1]), torch::cat(tensors[2]), torch::cat(tensors[3])};
}

class TsaMaml : public Method {
 public:
  TsaMaml(const TsaMamlConfig& config, const MethodContext& context)
      : config_(config), batch_(context.tasks), maml_(Parts{}, context) {
    require_usage(context.inner.steps >= 1, "inner.steps: 0 found, tsa_maml needs 1 or more");
    require_usage(config.groups <= config.solutions, "tsa_maml.groups: ", config.groups,
                  " clusters found of tsa_maml.solutions = ", config.solutions, " tasks");
  }

  // theta under its own names, as meta.start gives it, and group0/NAME, group1/NAME, ...: theta too at first.
  Params initial(Stream& stream) const override {
    const Params theta = maml_.initial(stream);
    Params out = theta;
    for (int64_t g = 0; g < config_.groups; ++g) out = out.joined(theta.cloned().prefixed(prefix(g)));
    return out;
  }

  const Network& network(bool training) const override { return maml_.network(training); }

  Params prepare(const Params& meta, const Preparation& with, const Moment& now) override {
    const torch::NoGradGuard no_graph;
    const Params theta = theta_of(meta);
    const auto solutions = [&](int64_t first, int64_t count, int64_t task) {
      return with.executor.gather(count, [&, first, task](int64_t i) {
        return Params({{"phi", solution(theta, with.as_tasks(with.source.tasks(first + i, task, 1)), now)}});
      });
    };
    Params out = meta;
    if (!centres_.defined()) out = clustered(meta, solutions(0, config_.solutions, kClustered), now);
    constexpr int64_t kBlock = 16;  // tasks at a time, whatever the number of threads
    while ((chosen_ = first_full_group(groups_, batch_)).empty()) {
      const auto found = solutions(next_, kBlock, kTrained);
      for (const auto& phi : found) {
        tasks_.push_back(next_++);
        groups_.push_back(nearest_centres(phi[0], centres_).front());
      }
    }
    return out;
  }

  Episodes draw(const TaskSource& source, const Moment& now, int64_t count) const override {
    std::vector<Episodes> parts;
    for (int64_t t = 0; t < count; ++t) {
      parts.push_back(source.tasks(tasks_[chosen_.at(static_cast<size_t>(now.first_task + t))], kTrained, 1));
    }
    return joined(parts);
  }

  Outcome pass(const Params& meta, const EpisodeTask& tasks, const Moment& now,
               bool with_output) const override {
    const std::string group = prefix(groups_[chosen_.front()]);
    Outcome out = maml_.pass(meta.part(group), tasks, now, with_output);
    std::vector<Tensor> gradient;
    for (const auto& entry : meta) {
      const bool trained = entry.name.rfind(group, 0) == 0;
      gradient.push_back(trained ? out.gradient.at(entry.name.substr(group.size()))
                                 : torch::zeros_like(entry.value));
    }
    out.gradient = meta.with(std::move(gradient));
    return out;
  }

  void absorb(const Params&, int64_t, const Moment&) override {
    for (auto place = chosen_.rbegin(); place != chosen_.rend(); ++place) {
      tasks_.erase(tasks_.begin() + static_cast<std::ptrdiff_t>(*place));
      groups_.erase(groups_.begin() + static_cast<std::ptrdiff_t>(*place));
    }
    chosen_.clear();
  }

  std::vector<Tensor> predict(const Params& meta, const EpisodeTask& tasks, int64_t steps,
                              const Moment& now) const override {
    std::vector<std::vector<Tensor>> by_step(static_cast<size_t>(steps) + 1);
    for (int64_t t = 0; t < tasks.size(); ++t) {
      const auto& e = tasks.episodes();
      const auto one = [t](const Tensor& x) { return x.narrow(0, t, 1); };
      const EpisodeTask task =
          tasks.with({one(e.support_x), one(e.query_x), one(e.support_y), one(e.query_y)});
      const auto outputs = maml_.predict(start_of(meta, task, now), task, steps, now);
      for (size_t k = 0; k < by_step.size(); ++k) by_step[k].push_back(outputs[k]);
    }
    std::vector<Tensor> out;
    for (const auto& step : by_step) out.push_back(torch::cat(step));
    return out;
  }

  double step_size() const override { return maml_.step_size(); }
  Params initialisation(const Params& meta) const override { return maml_.initialisation(theta_of(meta)); }

  Params state() const override {
    if (!centres_.defined()) return {};
    const auto rows = static_cast<int64_t>(tasks_.size());
    const Tensor queue = torch::zeros({1, rows + 1, 2}, torch::kFloat64);
    queue[0][0][0] = next_;
    for (int64_t i = 0; i < rows; ++i) {
      queue[0][i + 1][0] = tasks_[static_cast<size_t>(i)];
      queue[0][i + 1][1] = groups_[static_cast<size_t>(i)];
    }
    return Params({{kCentres, centres_.unsqueeze(0)}, {kQueue, queue}});
  }

  void restore(const Params& state) override {
    centres_ = Tensor();
    tasks_.clear();
    groups_.clear();
    chosen_.clear();
    next_ = 0;
    if (state.empty()) return;
    Stream any(StreamKey{.purpose = Purpose::kInitialParameters});  // shapes alone matter
    const int64_t weights = adapted(maml_.initial(any)).numel();
    const Tensor &centres = state.at(kCentres), &queue = state.at(kQueue);
    require(centres.sizes() == torch::IntArrayRef({1, config_.groups, weights}) && queue.dim() == 3 &&
                queue.size(1) >= 1 && queue.size(2) == 2,
            "tsa_maml: a state with centres ", centres.sizes(), " and queue ", queue.sizes(),
            " found, expected [1, ", config_.groups, ", ", weights, "] and [1, rows, 2]");
    centres_ = centres.squeeze(0).clone();
    next_ = queue[0][0][0].item<int64_t>();
    for (int64_t i = 1; i < queue.size(1); ++i) {
      tasks_.push_back(queue[0][i][0].item<int64_t>());
      groups_.push_back(queue[0][i][1].item<int64_t>());
      require(groups_.back() >= 0 && groups_.back() < config_.groups, "tsa_maml: a task of group ",
              groups_.back(), " found, expected 0 to ", config_.groups - 1);
    }
  }

 private:
  // The first names of the meta-parameters, those without a group.
  Params theta_of(const Params& meta) const {
    return meta.first(meta.size() / static_cast<size_t>(config_.groups + 1));
  }

  Params adapted(const Params& phi) const { return phi.select(maml_.inner().adapted_names()); }

  // The adapted entries after assign_steps from theta as one row, [1, D].
  Tensor solution(const Params& theta, const EpisodeTask& task, const Moment& now) const {
    Adaptation adaptation = maml_.inner().start(theta, 1, now, Keep::kLast);
    for (int64_t k = 0; k < config_.assign_steps; ++k) maml_.inner().advance(adaptation, task);
    return flatten(adapted(adaptation.adapted())).unsqueeze(0);
  }

  // theta_g of the group that the task belongs to.
  Params start_of(const Params& meta, const EpisodeTask& task, const Moment& now) const {
    if (!centres_.defined()) return theta_of(meta);  // nothing was trained
    const auto group = nearest_centres(solution(theta_of(meta), task, now), centres_).front();
    return meta.part(prefix(group));
  }

  // The centres of these solutions, which the meta-parameters of the groups start from.
  Params clustered(const Params& meta, const std::vector<Params>& solutions, const Moment& now) {
    std::vector<Tensor> rows;
    for (const auto& phi : solutions) rows.push_back(phi[0]);
    Stream stream = now.stream(0);
    centres_ = k_means(torch::cat(rows), config_.groups, config_.restarts, stream);
    const Params theta = theta_of(meta), moving = adapted(theta);
    Params out = theta;
    for (int64_t g = 0; g < config_.groups; ++g) {
      const Params centre = unflatten(centres_[g], moving);
      std::vector<Tensor> values;
      for (const auto& entry : theta) {
        values.push_back(centre.contains(entry.name) ? centre.at(entry.name).clone() : entry.value.clone());
      }
      out = out.joined(theta.with(std::move(values)).prefixed(prefix(g)));
    }
    return out;
  }

  TsaMamlConfig config_;
  int64_t batch_;
  GradientMethod maml_;
  Tensor centres_;  // [groups, D]; undefined before the first iteration
  // Tasks that wait for their group to be full, by their place in the sequence, and their groups.
  std::vector<int64_t> tasks_, groups_;
  std::vector<size_t> chosen_;  // the places among these of the iteration's tasks
  int64_t next_ = 0;            // of the sequence
};

}  // namespace

std::vector<size_t> first_full_group(const std::vector<int64_t>& groups, int64_t size) {
  std::map<int64_t, std::vector<size_t>> places;
  for (size_t i = 0; i < groups.size(); ++i) {
    auto& of = places[groups[i]];
    of.push_back(i);
    if (static_cast<int64_t>(of.size()) == size) return of;
  }
  return {};
}

Algorithm tsa_maml() {
  return {.name = "tsa_maml",
          .paper = "Zhou et al. 2021 (by their code)",
          .summary = "an initialisation for each cluster of tasks, found from a network trained by MAML",
          .prescribes = {{"meta.optimizer", "adam_by_group"}},
          .keys = tsa_maml_keys().list(),
          .method = [](const Texts& own, const MethodContext& context) -> std::unique_ptr<Method> {
            return std::make_unique<TsaMaml>(tsa_maml_keys().read(own, "algorithm tsa_maml", "tsa_maml"),
                                             context);
          }};
}

}  // namespace innerloop
