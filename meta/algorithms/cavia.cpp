#include "meta/algorithms/cavia.h"

#include <cmath>

#include "base/error.h"
#include "meta/gradient_algorithm.h"

namespace innerloop {
namespace {

using torch::Tensor;

constexpr const char* kContext = "context";
constexpr const char* kContextWeight = "context.weight";
constexpr const char* kFirstWeight = "layer0.weight";
constexpr const char* kFirstBias = "layer0.bias";

struct CaviaConfig {
  int64_t contexts = 5;
};

const Keys<CaviaConfig>& cavia_keys() {
  static const Keys<CaviaConfig> list{
      keys::whole("contexts", &CaviaConfig::contexts, 1, 100'000, "numbers of the context that adapts")};
  return list;
}

// theta -> (theta, c = 0) for every task.
class ZeroContext : public LinearMap {
 public:
  explicit ZeroContext(int64_t contexts) : contexts_(contexts) {}

  Params operator()(const Params& p, const At& at) const override {
    const auto zeros = torch::zeros({at.tasks, contexts_}, p[0].options());
    return p.expanded(at.tasks).joined(Params({{kContext, zeros}}));
  }

  Params pullback(const Params& p, const At&, const Params& c) const override {
    return c.first(p.size()).sum_over_tasks();
  }

 private:
  int64_t contexts_;
};

// What the network reads: b + W_c c in the place of b.
class ContextAsBias : public ParameterMap {
 public:
  Params operator()(const Params& p, const At&) const override {
    std::vector<Params::Entry> out;
    for (const auto& entry : p) {
      if (entry.name == kContext || entry.name == kContextWeight) continue;
      out.push_back({entry.name, entry.name == kFirstBias ? entry.value + product(p, p) : entry.value});
    }
    return Params(std::move(out));
  }

  Params pullback(const Params& p, const At&, const Params& c) const override {
    return with_context(p, c, c.at(kFirstBias), p.at(kContext), p.at(kContextWeight));
  }

  Params pushforward(const Params& p, const At& at, const Params& d) const override {
    Params out = (*this)(d, at);
    std::vector<Tensor> values;
    for (const auto& entry : out) {
      values.push_back(entry.name == kFirstBias ? d.at(kFirstBias) + product(d, p) + product(p, d)
                                                : entry.value);
    }
    return out.with(std::move(values));
  }

  Params pullback_tangent(const Params& p, const At&, const Params& d, const Params& c) const override {
    return with_context(p, {}, c.at(kFirstBias), d.at(kContext), d.at(kContextWeight));
  }

 private:
  static Tensor product(const Params& weight, const Params& context) {  // W_c c, [T, hidden]
    return weight.at(kContextWeight).matmul(context.at(kContext).unsqueeze(2)).squeeze(2);
  }

  // The cotangents `c` of the entries that pass through (none: zero), and those of W_c and c from that of the
  // bias.
  static Params with_context(const Params& p, const Params& c, const Tensor& bias, const Tensor& context,
                             const Tensor& weight) {
    std::vector<Tensor> values;
    for (const auto& entry : p) {
      if (entry.name == kContextWeight) {
        values.push_back(bias.unsqueeze(2).matmul(context.unsqueeze(1)));
      } else if (entry.name == kContext) {
        values.push_back(weight.transpose(1, 2).matmul(bias.unsqueeze(2)).squeeze(2));
      } else {
        values.push_back(c.empty() ? torch::zeros_like(entry.value) : c.at(entry.name));
      }
    }
    return p.with(std::move(values));
  }
};

Parts cavia_parts(const CaviaConfig& config, const MethodContext&) {
  const int64_t contexts = config.contexts;
  return {.initialisation = std::make_shared<ZeroContext>(contexts),
          .network = std::make_shared<ContextAsBias>(),
          .meta = [contexts](const Params& network, Stream& stream) {
            require_usage(
                network.contains(kFirstWeight) && network.contains(kFirstBias),
                "algorithm cavia needs a fully connected first layer with a bias; network mlp without "
                "batch normalisation has one, and so have policies");
            const auto& first = network.at(kFirstWeight);  // [1, hidden, inputs]
            auto weight = torch::empty({1, first.size(1), contexts}, first.options());
            const double a = 1 / std::sqrt(static_cast<double>(first.size(2) + contexts));
            for (int64_t i = 0; i < weight.numel(); ++i) weight.view(-1)[i] = stream.uniform(-a, a);
            return network.joined(Params({{kContextWeight, weight}}));
          }};
}

}  // namespace

Algorithm cavia() {
  return gradient_algorithm(
      {.name = "cavia",
       .paper = "Zintgraf et al. 2019, section 4.1",
       .summary = "only a context vector, an input of the first layer, adapts to a task",
       .prescribes = {{"inner.adapt", "context"}}},
      cavia_keys(), cavia_parts);
}

}  // namespace innerloop
