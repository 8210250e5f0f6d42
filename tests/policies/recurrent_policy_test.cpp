#include "policies/recurrent_policy.h"

#include <set>

#include "base/error.h"
#include "networks/tensors/gradient_check.h"
#include "tests/policies/fixtures.h"
#include "tests/torch_catch.h"

// After torch_catch.h.
#include <torch/torch.h>

namespace innerloop {
namespace {

using namespace testing;

const std::vector<std::string> kRecurrent{"gaussian_gru", "gaussian_lstm", "categorical_gru",
                                          "categorical_lstm"};

EnvironmentSpec environment_for(const std::string& name, int64_t observations = 3) {
  return name.starts_with("categorical") ? discrete(observations, 4) : continuous(observations, 2);
}

RecurrentCell small_cell(Cell kind, bool learn_start) {
  return RecurrentCell({.kind = kind, .inputs = 3, .units = 5, .learn_start = learn_start});
}

Params somewhere(const RecurrentCell& cell, torch::ScalarType type, uint64_t seed = 4) {
  Stream stream({.seed = seed});
  const Params start = cell.initial(stream);
  return start.map(
      [&](const auto& t) { return (t + 0.4 * normal(t.sizes(), ++seed, torch::kFloat32)).to(type); });
}

// The states of one trajectory by torch's own cell.
torch::Tensor by_torch(const RecurrentCell& cell, const Params& p, const torch::Tensor& x) {
  const auto& c = cell.config();
  auto state = cell.start(p, 0).view({1, -1});
  std::vector<torch::Tensor> states;
  const auto fill = [&](auto& module) {
    module->to(p.dtype());
    const torch::NoGradGuard no_graph;
    module->weight_ih.copy_(p.at("cell.weight_ih")[0]);
    module->weight_hh.copy_(p.at("cell.weight_hh")[0]);
    module->bias_ih.copy_(p.at("cell.bias_ih")[0]);
    module->bias_hh.copy_(p.at("cell.bias_hh")[0]);
  };
  if (c.kind == Cell::kGru) {
    torch::nn::GRUCell module(c.inputs, c.units);
    fill(module);
    for (int64_t s = 0; s < x.size(0); ++s) {
      state = module->forward(x.narrow(0, s, 1), state);
      states.push_back(state);
    }
  } else {
    torch::nn::LSTMCell module(c.inputs, c.units);
    fill(module);
    auto h = state.narrow(1, 0, c.units), cell_state = state.narrow(1, c.units, c.units);
    for (int64_t s = 0; s < x.size(0); ++s) {
      std::tie(h, cell_state) = module->forward(x.narrow(0, s, 1), std::make_tuple(h, cell_state));
      states.push_back(h);
    }
  }
  return torch::cat(states);
}

TEST_CASE("the order of time is the longest first, and loses no step", "[recurrent]") {
  const auto order = order_in_time({2, 4, 1, 4});
  CHECK(order.running == std::vector<int64_t>{4, 3, 2, 2});
  // trajectories 1 (from 2), 3 (from 7), 0 (from 0), 2 (from 6)
  CHECK(order.rows == std::vector<int64_t>{2, 7, 0, 6, 3, 8, 1, 4, 9, 5, 10});
  CHECK(order_in_time({}).rows.empty());
}

TEST_CASE("a pass along trajectories of several lengths is torch's cell along each", "[recurrent]") {
  const auto kind = GENERATE(Cell::kGru, Cell::kLstm);
  const auto type = GENERATE(torch::kFloat32, torch::kFloat64);
  const bool learn_start = GENERATE(false, true);
  const auto cell = small_cell(kind, learn_start);
  const Params params = somewhere(cell, type);
  const std::vector<int64_t> lengths{2, 4, 1, 4};
  const auto order = order_in_time(lengths);
  const auto x = 2 * normal({11, 3}, 9, type);
  const auto rows = torch::tensor(order.rows);
  CellPass pass(cell, params, x.index_select(0, rows), order.running);
  const auto found = torch::empty_like(pass.states()[0]).index_copy_(0, rows, pass.states()[0]);
  int64_t first = 0;
  for (const int64_t length : lengths) {
    const auto expected = by_torch(cell, params, x.narrow(0, first, length));
    CHECK(largest_difference(found.narrow(0, first, length), expected) <
          (type == torch::kFloat32 ? 1e-6 : 1e-13));
    first += length;
  }
  CHECK(found.abs().max().item<double>() > 0.3);
}

TEST_CASE("backpropagation through time is the gradient by finite differences", "[recurrent]") {
  const auto kind = GENERATE(Cell::kGru, Cell::kLstm);
  const bool learn_start = GENERATE(false, true);
  const auto cell = small_cell(kind, learn_start);
  const Params params = somewhere(cell, torch::kFloat64);
  const auto order = order_in_time({3, 5, 1});
  const auto x = normal({9, 3}, 9), weight = normal({1, 9, 5}, 10);
  const auto value = [&](const Params& p) {
    return (CellPass(cell, p, x, order.running).states() * weight).sum().item<double>();
  };
  const auto gradient = [&](const Params& p) { return CellPass(cell, p, x, order.running).gradient(weight); };
  const auto found = check_gradient(value, gradient, params, 1e-4);
  INFO(found.text());
  CHECK(found.relative < 1e-8);
  CHECK(gradient(params).size() == (learn_start ? 5 : 4));
  for (const auto& entry : gradient(params)) {
    INFO(entry.name);
    CHECK(entry.value.abs().max().item<double>() > 1e-2);
  }
}

TEST_CASE("the sampler remembers as the pass along the trajectory does, whatever the sizes", "[recurrent]") {
  const auto name = GENERATE(from_range(kRecurrent));
  const auto [units, hidden] = GENERATE(std::pair<int64_t, std::vector<int64_t>>{1, {}},
                                        std::pair<int64_t, std::vector<int64_t>>{16, {}},
                                        std::pair<int64_t, std::vector<int64_t>>{37, {9}});
  const bool learn_start = GENERATE(false, true);
  const auto policy =
      make_policy({.name = name, .hidden = hidden, .own = {{"units", units}, {"learn_start", learn_start}}},
                  environment_for(name));
  const int64_t tasks = 2, batch = 7, steps = 12;
  const auto params = different_tasks(*policy, tasks);
  const auto x = 2 * normal({batch, steps, 3}, 11, torch::kFloat32);
  const auto order = order_in_time(std::vector<int64_t>(batch, steps));
  const auto rows = torch::tensor(order.rows);
  for (int64_t task = 0; task < tasks; ++task) {
    const Params own = params.slice(task);
    CellPass pass(*policy->cell(), own, x.view({-1, 3}).index_select(0, rows), order.running);
    const auto states = torch::empty_like(pass.states()).index_copy_(1, rows, pass.states());
    const auto d =
        policy->distribution(policy->network().forward(own, states), own)[0].view({batch, steps, -1});

    const auto sampler = policy->sampler(params, task);
    const auto workspace = sampler->workspace(batch);
    sampler->begin(*workspace);
    std::vector<Stream> streams, same;
    std::vector<Stream*> pointers;
    for (uint64_t b = 0; b < batch; ++b) {
      streams.emplace_back(StreamKey{.trajectory = b});
      same.emplace_back(StreamKey{.trajectory = b});
    }
    for (auto& stream : streams) pointers.push_back(&stream);
    Eigen::MatrixXf observations(3, batch), actions(sampler->action_entries(), batch);
    double worst = 0;
    for (int64_t s = 0; s < steps; ++s) {
      for (int64_t b = 0; b < batch; ++b) {
        for (int64_t i = 0; i < 3; ++i) observations(i, b) = x[b][s][i].item<float>();
      }
      sampler->act(observations, pointers.data(), *workspace, actions);
      for (int64_t b = 0; b < batch; ++b) {
        auto& stream = same[static_cast<size_t>(b)];
        if (name.starts_with("gaussian")) {
          for (int64_t i = 0; i < 2; ++i) {
            const double expected =
                d[b][s][i].item<double>() + std::exp(d[b][s][i + 2].item<double>()) * stream.normal();
            worst = std::max(worst, std::abs(expected - static_cast<double>(actions(i, b))));
          }
        } else {
          const auto p = torch::softmax(d[b][s].to(torch::kFloat64), -1);
          const double u = stream.uniform();
          const auto choice = static_cast<int64_t>(actions(0, b));
          const double below = p.narrow(0, 0, choice).sum().item<double>();
          worst = std::max({worst, below - u, u - below - p[choice].item<double>()});
        }
      }
    }
    CHECK(worst < 3e-5);
  }
}

TEST_CASE("what is remembered goes with its trajectory, not with its column, and ends at begin()",
          "[recurrent]") {
  const auto name = GENERATE(from_range(kRecurrent));
  const auto policy =
      make_policy({.name = name, .hidden = {5}, .own = {{"units", 21}}}, environment_for(name));
  const auto sampler = policy->sampler(different_tasks(*policy, 1), 0);
  const int64_t batch = 9;
  const auto workspace = sampler->workspace(batch);
  REQUIRE(workspace->memory.cols() == batch);
  REQUIRE(workspace->memory.rows() > 0);
  const auto run = [&](const std::vector<int64_t>& kept_after_two) {
    std::vector<Stream> streams;
    std::vector<Stream*> pointers;
    std::vector<int64_t> running;
    for (int64_t b = 0; b < batch; ++b)
      streams.emplace_back(StreamKey{.trajectory = static_cast<uint64_t>(b)});
    for (int64_t b = 0; b < batch; ++b) running.push_back(b);
    sampler->begin(*workspace);
    Eigen::MatrixXf o(3, batch), a(sampler->action_entries(), batch);
    for (int64_t s = 0; s < 5; ++s) {
      const auto count = static_cast<Eigen::Index>(running.size());
      pointers.clear();
      for (Eigen::Index c = 0; c < count; ++c) {
        o.col(c) << static_cast<float>(running[static_cast<size_t>(c)]), static_cast<float>(s), 1;
        pointers.push_back(&streams[static_cast<size_t>(running[static_cast<size_t>(c)])]);
      }
      sampler->act(o.leftCols(count), pointers.data(), *workspace, a.leftCols(count));
      if (s != 1) continue;
      for (size_t c = 0; c < kept_after_two.size(); ++c)
        workspace->memory.col(static_cast<Eigen::Index>(c)) = workspace->memory.col(kept_after_two[c]);
      running = kept_after_two;
    }
    std::vector<float> out;
    for (size_t c = 0; c < running.size(); ++c) {
      if (running[c] == 4 || running[c] == 8)
        out.insert(out.end(), a.col(static_cast<Eigen::Index>(c)).begin(),
                   a.col(static_cast<Eigen::Index>(c)).end());
    }
    out.push_back(workspace->memory.col(static_cast<Eigen::Index>(running.size()) - 1).sum());
    return out;
  };
  const auto all = run({0, 1, 2, 3, 4, 5, 6, 7, 8});
  CHECK(run({0, 1, 2, 3, 4, 5, 6, 7, 8}) == all);
  CHECK(run({4, 8}) == all);
  CHECK(run({1, 4, 7, 8}) == all);
}

TEST_CASE("recurrent weights that are not numbers give actions that are not", "[recurrent]") {
  const auto name = GENERATE(from_range(kRecurrent));
  const auto policy = make_policy({.name = name, .hidden = {}}, environment_for(name));
  Stream start({.seed = 1});
  const Params params = policy->initial(start);
  params.at("cell.weight_hh")[0][3][2] = std::numeric_limits<float>::quiet_NaN();
  const auto sampler = policy->sampler(params, 0);
  const auto workspace = sampler->workspace(1);
  Stream stream({.seed = 1});
  Stream* streams[] = {&stream};
  Eigen::MatrixXf action(sampler->action_entries(), 1);
  sampler->act(Eigen::MatrixXf::Ones(3, 1), streams, *workspace, action);
  sampler->act(Eigen::MatrixXf::Ones(3, 1), streams, *workspace, action);
  CHECK(std::isnan(action(0, 0)));
}

TEST_CASE("a recurrent policy's head obeys the keys of gaussian_mlp, and its cell does not", "[recurrent]") {
  const auto name = GENERATE("gaussian_gru", "gaussian_lstm");
  const auto initial = [&](Texts own) {
    Stream stream({.seed = 1});
    return make_policy({.name = name, .hidden = {}, .own = std::move(own)}, continuous(3, 2))
        ->initial(stream);
  };
  const Params plain = initial({});
  const Params own = initial({{"initial_std", 0.5}, {"output_scale", 0.25}});
  CHECK(torch::equal(own.at("layer0.weight"), 0.25 * plain.at("layer0.weight")));
  CHECK(torch::equal(own.at("cell.weight_ih"), plain.at("cell.weight_ih")));
  CHECK(own.at("log_std")[0][1].item<double>() == Approx(std::log(0.5)));
}

TEST_CASE("a recurrent policy begins with torch's bounds, an open forget gate and zero states",
          "[recurrent]") {
  const auto policy =
      make_policy({.name = "gaussian_lstm", .hidden = {}, .own = {{"units", 16}, {"learn_start", true}}},
                  continuous(3, 2));
  Stream stream({.seed = 1});
  const Params params = policy->initial(stream);
  CHECK(params.names() == std::vector<std::string>{"layer0.weight", "layer0.bias", "log_std",
                                                   "cell.weight_ih", "cell.weight_hh", "cell.bias_ih",
                                                   "cell.bias_hh", "cell.start"});
  CHECK(params.at("cell.weight_hh").sizes() == torch::IntArrayRef({1, 64, 16}));
  CHECK(params.at("cell.weight_hh").abs().max().item<double>() <= 0.25);
  CHECK(params.at("cell.weight_hh").abs().max().item<double>() > 0.24);
  const auto bias = params.at("cell.bias_ih")[0];
  CHECK(bias.narrow(0, 16, 16).min().item<double>() == 1);
  CHECK(bias.sum().item<double>() == 16);
  CHECK(params.at("cell.start").sizes() == torch::IntArrayRef({1, 32}));
  CHECK(policy->cell()->size().parameters + policy->network().size().parameters + 2 ==
        static_cast<double>(params.numel()));
}

TEST_CASE("a pass refuses what does not fit, and keys of other policies", "[recurrent]") {
  const auto cell = small_cell(Cell::kGru, false);
  const Params params = somewhere(cell, torch::kFloat32);
  CHECK_THROWS_WITH(CellPass(cell, params, torch::zeros({3, 2}), {3}), contains("expected [3, 3]"));
  CHECK_THROWS_WITH(CellPass(cell, params, torch::zeros({3, 3}), {2}), contains("expected [2, 3]"));
  CHECK_THROWS_WITH(CellPass(cell, params, torch::zeros({3, 3}, torch::kFloat64), {3}), contains("one type"));
  CHECK_THROWS_WITH(CellPass(cell, params, torch::zeros({3, 3}), {1, 2}), contains("longest first"));
  CHECK_THROWS_WITH(CellPass(cell, params, torch::zeros({3, 3}), {3}).gradient(torch::zeros({1, 3, 4})),
                    contains("cotangent"));
  CHECK_THROWS_AS(RecurrentCell({.units = 0}), UsageError);
  CHECK_THROWS_WITH(make_policy({.name = "gaussian_gru", .own = {{"forget_bias", 1}}}, continuous(2, 1)),
                    contains("policy.forget_bias"));
  CHECK_THROWS_WITH(make_policy({.name = "categorical_gru", .own = {{"min_std", 1}}}, discrete(2, 2)),
                    contains("policy.min_std"));
  CHECK_THROWS_WITH(make_policy({.name = "gaussian_gru"}, discrete(2, 3)), contains("categorical_gru"));
}

}  // namespace
}  // namespace innerloop
