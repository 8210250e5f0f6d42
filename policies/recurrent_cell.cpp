#include "policies/recurrent_cell.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>

#include "base/error.h"
#include "networks/tensors/elementwise.h"

namespace innerloop {
namespace {

constexpr char kWeightIh[] = "cell.weight_ih", kWeightHh[] = "cell.weight_hh", kBiasIh[] = "cell.bias_ih",
               kBiasHh[] = "cell.bias_hh", kStart[] = "cell.start";

}  // namespace

RecurrentCell::RecurrentCell(const RecurrentCellConfig& config)
    : config_(config), names_{kWeightIh, kWeightHh, kBiasIh, kBiasHh} {
  require_usage(config.inputs >= 1 && config.units >= 1, "recurrent cell: ", config.inputs, " inputs and ",
                config.units, " units asked, expected at least 1 of each");
  if (config.learn_start) names_.push_back(kStart);
}

NetworkSize RecurrentCell::size() const {
  const auto gates = static_cast<double>(gate_entries()), states = static_cast<double>(state_entries());
  NetworkSize size;
  size.parameters =
      gates * static_cast<double>(config_.inputs + config_.units + 2) + (config_.learn_start ? states : 0);
  size.activations = 4 * gates + states + 2 * static_cast<double>(config_.units);
  return size;
}

Params RecurrentCell::initial(Stream& stream) const {
  const double bound = 1 / std::sqrt(static_cast<double>(config_.units));
  const auto uniform = [&](int64_t columns) {
    const auto out = torch::empty({1, gate_entries(), columns}, torch::kFloat32);
    auto* to = out.data_ptr<float>();
    for (int64_t i = 0; i < out.numel(); ++i) to[i] = static_cast<float>(stream.uniform(-bound, bound));
    return out;
  };
  const auto input = uniform(config_.inputs), recurrent = uniform(config_.units);
  const auto bias = torch::zeros({1, gate_entries()}, torch::kFloat32);
  if (config_.kind == Cell::kLstm) bias.narrow(1, config_.units, config_.units).fill_(config_.forget_bias);
  std::vector<Params::Entry> entries{
      {kWeightIh, input}, {kWeightHh, recurrent}, {kBiasIh, bias}, {kBiasHh, torch::zeros_like(bias)}};
  if (config_.learn_start) entries.push_back({kStart, torch::zeros({1, state_entries()}, torch::kFloat32)});
  return Params(std::move(entries));
}

torch::Tensor RecurrentCell::start(const Params& params, int64_t task) const {
  if (config_.learn_start) return params.at(kStart).detach()[task].contiguous();
  return torch::zeros({state_entries()}, params.dtype());
}

struct CellPass::Passes {
  std::optional<RecurrentPass<float>> single;
  std::optional<RecurrentPass<double>> twice;

  auto& of(const float*) { return single; }
  auto& of(const double*) { return twice; }
};

CellPass::CellPass(const RecurrentCell& cell, const Params& params, const torch::Tensor& x,
                   const std::vector<int64_t>& running)
    : params_(params.select(cell.names()).map([](const auto& value) { return value.detach().contiguous(); })),
      start_(cell.start(params, 0)),
      x_(x.detach().contiguous()),
      learns_start_(cell.config().learn_start),
      passes_(std::make_unique<Passes>()) {
  const auto& config = cell.config();
  const int64_t steps = std::accumulate(running.begin(), running.end(), int64_t{0});
  require(params_.size() == cell.names().size() && params_.tasks() == 1 && x_.dim() == 2 &&
              x_.size(0) == steps && x_.size(1) == config.inputs && x_.scalar_type() == params_.dtype(),
          "recurrent pass: inputs ", x_.scalar_type(), x_.sizes(), " for parameters ", params_.dtype(),
          " of ", params_.empty() ? 0 : params_.tasks(), " tasks, expected [", steps, ", ", config.inputs,
          "], of one type and one task");
  states_ = torch::empty({1, steps, config.units}, x_.scalar_type());
  const bool known = with_type(x_, [&]<class T>(const T* from) {
    const auto at = [&](const char* name) { return static_cast<const T*>(params_.at(name).data_ptr()); };
    auto& pass = passes_->of(from);
    pass.emplace(config.kind, config.inputs, config.units,
                 typename RecurrentPass<T>::Weights{at(kWeightIh), at(kWeightHh), at(kBiasIh), at(kBiasHh),
                                                    static_cast<const T*>(start_.data_ptr())});
    pass->forward(from, running, static_cast<T*>(states_.data_ptr()));
  });
  require(known, "recurrent pass: inputs of ", x_.scalar_type(), ", expected Float or Double on the CPU");
}

CellPass::~CellPass() = default;

Params CellPass::gradient(const torch::Tensor& cotangent) {
  const auto given = cotangent.contiguous();
  require(given.sizes() == states_.sizes() && given.scalar_type() == states_.scalar_type(),
          "recurrent pass: cotangent ", given.scalar_type(), given.sizes(), ", expected ",
          states_.scalar_type(), states_.sizes());
  const Params out = params_.map([](const auto& value) { return torch::empty_like(value); });
  const auto start = learns_start_ ? out.at(kStart) : torch::empty_like(start_);
  with_type(given, [&]<class T>(const T* from) {
    const auto at = [&](const torch::Tensor& value) { return static_cast<T*>(value.data_ptr()); };
    passes_->of(from)->backward(from, {at(out.at(kWeightIh)), at(out.at(kWeightHh)), at(out.at(kBiasIh)),
                                       at(out.at(kBiasHh)), at(start)});
  });
  return out;
}

TimeOrder order_in_time(const std::vector<int64_t>& lengths) {
  std::vector<size_t> order(lengths.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return lengths[a] > lengths[b]; });
  std::vector<int64_t> first(lengths.size());
  std::exclusive_scan(lengths.begin(), lengths.end(), first.begin(), int64_t{0});
  TimeOrder out;
  const int64_t longest = lengths.empty() ? 0 : lengths[order[0]];
  for (int64_t s = 0; s < longest; ++s) {
    int64_t count = 0;
    for (const size_t trajectory : order) {
      if (lengths[trajectory] <= s) break;
      out.rows.push_back(first[trajectory] + s);
      ++count;
    }
    out.running.push_back(count);
  }
  return out;
}

}  // namespace innerloop
