#include "meta/algorithms/bmaml.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "datasets/dataset.h"
#include "meta/algorithms/emaml_ensemble.h"
#include "meta/gradient_algorithm.h"

namespace innerloop {
namespace {

using torch::Tensor;

constexpr const char* kLogGamma = "log_gamma";
constexpr const char* kLogLambda = "log_lambda";

bool is_scale(const std::string& name) { return name == kLogGamma || name == kLogLambda; }

const Keys<BmamlConfig>& bmaml_keys() {
  using C = BmamlConfig;
  constexpr keys::Interval kScale{0, 1e6, false, false, "a number from 0 to 1000000"};
  constexpr keys::Interval kLog{-100, 100, false, false, "a number from -100 to 100"};
  static const Keys<C> list{
      keys::whole("particles", &C::particles, 1, 1'000, "M"),
      keys::whole("leader_steps", &C::leader_steps, 1, 1'000, "steps from the chaser to the leader"),
      keys::number("kernel_gradient", &C::kernel_gradient, kScale,
                   "of the kernel's repulsion: 2 exact, 1 the code's"),
      keys::number("log_rate", &C::log_rate, kScale, "step of the log scales over that of the weights"),
      keys::number("log_gamma", &C::log_gamma, kLog, "the noise's log precision at first"),
      keys::number("log_lambda", &C::log_lambda, kLog, "the prior's log precision at first")};
  return list;
}

Tensor rows_of(const Params& params) {  // [T, M, D]
  std::vector<Tensor> parts;
  for (const auto& entry : params)
    parts.push_back(entry.value.reshape({entry.value.size(0), entry.value.size(1), -1}));
  return torch::cat(parts, 2);
}

// h of every task, [T, 1, 1]: the median of all squared distances, zeros of the diagonal included, over log
// M.
Tensor bandwidth(const Tensor& squared) {
  const int64_t count = squared.size(1) * squared.size(2);
  const Tensor sorted = std::get<0>(squared.detach().flatten(1).sort(1));
  const Tensor median = (sorted.select(1, (count - 1) / 2) + sorted.select(1, count / 2)) / 2;
  constexpr double kLeast = 1e-12;  // particles that coincide do not repel
  return (median / std::log(static_cast<double>(squared.size(1)))).clamp_min(kLeast).view({-1, 1, 1});
}

class SvgdStep : public UpdateRule {
 public:
  SvgdStep(double step_size, const BmamlConfig& config) : alpha_(step_size), config_(config) {
    require_usage(step_size > 0, "inner.step_size: ", step_size, " found, expected a positive number");
  }

  double step_size() const override { return alpha_; }

  Out update(const In& in) const override {
    const Tensor theta = rows_of(in.phi), ascent = -rows_of(in.gradient);
    const auto particles = static_cast<double>(theta.size(1));
    Tensor moved = ascent;
    if (theta.size(1) > 1) {
      const Tensor squared = (theta.unsqueeze(2) - theta.unsqueeze(1)).square().sum(3);
      const Tensor h = bandwidth(squared), kernel = (-squared / h).exp();
      const Tensor repulsion = (kernel.sum(2, /*keepdim=*/true) * theta - kernel.matmul(theta)) / h;
      moved = (kernel.matmul(ascent) + config_.kernel_gradient * repulsion) / particles;
    }
    int64_t offset = 0;
    std::vector<Tensor> out;
    for (const auto& entry : in.phi) {
      const int64_t count = entry.value.numel() / (entry.value.size(0) * entry.value.size(1));
      const double rate = alpha_ * in.scale * (is_scale(entry.name) ? config_.log_rate : 1);
      out.push_back(entry.value + rate * moved.narrow(2, offset, count).reshape(entry.value.sizes()));
      offset += count;
    }
    return {in.phi.with(std::move(out)), {}};
  }

 private:
  double alpha_;
  BmamlConfig config_;
};

ParticleTask posterior(const EpisodeTask& tasks, int64_t particles) {
  return ParticleTask(tasks, particles,
                      [](const EpisodeTask& repeated, Part part) -> std::shared_ptr<const Head> {
                        class Posterior : public Head {
                         public:
                          explicit Posterior(Tensor target) : target_(std::move(target)) {}
                          Tensor operator()(const Tensor& y, const Params& own) const override {
                            return negative_log_posterior(y, target_, own);
                          }
                          std::vector<std::string> reads(const Params& params) const override {
                            return params.names();
                          }

                         private:
                          Tensor target_;
                        };
                        return std::make_shared<Posterior>(repeated.output_loss(part)->target());
                      });
}

class Chaser : public MetaObjective {
 public:
  Chaser(std::shared_ptr<const UpdateRule> rule, int64_t leader_steps)
      : rule_(std::move(rule)), leader_steps_(leader_steps) {}

  At at(const Adaptation& adaptation, const Task& task, const Moment& now) const override {
    const Params apart = distance_to_leader(adaptation, task, now);
    At out{squared(apart), {}};
    out.cotangents.resize(static_cast<size_t>(adaptation.steps()) + 1);
    out.cotangents.back() = 2.0 * apart;
    return out;
  }

  Tensor value(const Adaptation& adaptation, const Task& task, const Moment& now) const override {
    return squared(distance_to_leader(adaptation, task, now));
  }

 private:
  // Theta^n - leader, zero in the scales.
  Params distance_to_leader(const Adaptation& adaptation, const Task& task, const Moment& now) const {
    const torch::NoGradGuard no_graph;
    Params leader = adaptation.adapted();
    for (int64_t s = 0; s < leader_steps_; ++s) {
      const int64_t step = adaptation.steps() + s;
      const auto both = task.loss_at(Part::kBoth, leader, step);
      leader = rule_->update({{}, leader, both->gradient(), {}, both->loss(), step, /*scale=*/1, now}).phi;
    }
    std::vector<Tensor> apart;
    for (size_t i = 0; i < leader.size(); ++i) {
      apart.push_back(is_scale(leader.name(i)) ? torch::zeros_like(leader[i])
                                               : adaptation.adapted()[i] - leader[i]);
    }
    return leader.with(std::move(apart));
  }

  static Tensor squared(const Params& apart) {
    Tensor sum;
    for (const auto& entry : apart) {
      const Tensor term = entry.value.flatten(1).square().sum(1);
      sum = sum.defined() ? sum + term : term;
    }
    return sum;
  }

  std::shared_ptr<const UpdateRule> rule_;
  int64_t leader_steps_;
};

class Bmaml : public GradientMethod {
 public:
  Bmaml(const BmamlConfig& config, const MethodContext& context)
      : GradientMethod(parts(config, context), context) {}

  Params initialisation(const Params& meta) const override { return network_of(meta); }

  Trace trace(const Params& meta, const EpisodeTask& tasks, const Course& course,
              const Moment& now) const override {
    Trace out = GradientMethod::trace(meta, tasks, course, now);
    out.before = network_of(out.before);
    out.after = network_of(out.after);
    return out;
  }

 private:
  static Params network_of(const Params& phi) {
    return first_particle(phi.without(kLogGamma).without(kLogLambda));
  }

  static Parts parts(const BmamlConfig& config, const MethodContext& context) {
    const auto rule = svgd_step(context.inner.step_size, config);
    const auto initial = [network = context.network, outputs = context.outputs](Stream& stream) {
      return network(outputs)->initial(stream);
    };
    return {
        .rule = rule,
        .objective = std::make_shared<Chaser>(rule, config.leader_steps),
        .meta =
            [config, initial](const Params& first, Stream& stream) {
              const Params particles = drawn_particles(first, config.particles, initial, stream);
              const auto scales = [&](double mean) {
                const Tensor out = torch::empty({1, config.particles}, torch::kFloat32);
                float* to = out.data_ptr<float>();
                for (int64_t m = 0; m < config.particles; ++m)
                  to[m] = static_cast<float>(mean + .001 * stream.normal());
                return out;
              };
              const Tensor gamma = scales(config.log_gamma), lambda = scales(config.log_lambda);
              return particles.joined(Params({{kLogGamma, gamma}, {kLogLambda, lambda}}));
            },
        .view = [particles = config.particles](const Task& task, const Moment&) -> std::unique_ptr<Task> {
          return std::make_unique<ParticleTask>(posterior(dynamic_cast<const EpisodeTask&>(task), particles));
        }};
  }
};

}  // namespace

std::shared_ptr<const UpdateRule> svgd_step(double step_size, const BmamlConfig& config) {
  return std::make_shared<SvgdStep>(step_size, config);
}

Tensor negative_log_posterior(const Tensor& y, const Tensor& target, const Params& own) {
  constexpr double kShape = 2, kGammaRate = 0.2, kLambdaRate = 2;
  const Tensor log_gamma = own.at(kLogGamma).squeeze(1), log_lambda = own.at(kLogLambda).squeeze(1);
  const auto data = static_cast<double>(y.size(1) * y.size(2));
  Tensor total = (log_gamma * data - log_gamma.exp() * (y - target).square().sum({1, 2})) / 2;
  double weights = 0;
  Tensor norm;
  for (const auto& entry : own) {
    if (is_scale(entry.name)) continue;
    const Tensor flat = entry.value.flatten(1), term = flat.square().sum(1);
    weights += static_cast<double>(flat.size(1));
    norm = norm.defined() ? norm + term : term;
  }
  total = total + (weights * log_lambda - log_lambda.exp() * norm) / 2;
  total = total + kShape * log_gamma - kGammaRate * log_gamma.exp();
  total = total + kShape * log_lambda - kLambdaRate * log_lambda.exp();
  return -total;
}

Algorithm bmaml() {
  return {.name = "bmaml",
          .paper = "Yoon et al. 2018, sections 4.1 and 4.2",
          .summary = "particles follow the posterior by SVGD and chase where more data leads",
          .prescribes = {{"inner.adapt", "*"}},
          .keys = bmaml_keys().list(),
          .exact = false,
          .method = [](const Texts& own, const MethodContext& context) -> std::unique_ptr<Method> {
            const auto config = bmaml_keys().read(own, "algorithm bmaml", "bmaml");
            require_usage(!context.dataset->spec().classification,
                          "algorithm bmaml is one of regression; the data set ", context.dataset->spec().name,
                          " has classes");
            require_usage(context.inner.steps >= 1,
                          "inner.steps: 0 found, expected 1 or more: the chaser has to move");
            return std::make_unique<Bmaml>(config, context);
          }};
}

}  // namespace innerloop
