#include "networks/tensors/coordinate_lstm.h"

#include "base/error.h"
#include "tests/torch_catch.h"

using namespace innerloop;
using torch::Tensor;

namespace {

Tensor logistic(const Tensor& x) { return 1 / (1 + (-x).exp()); }

struct Case {
  int64_t tasks = 2, coordinates = 150, hidden = 6;  // more than one block
  CoordinateLstm lstm;
  CoordinateLstm::In in;
  std::vector<Tensor> leaves;  // weights, theta, state

  explicit Case(torch::ScalarType dtype) {
    torch::manual_seed(11);
    const auto drawn = [&](std::vector<int64_t> sizes) { return torch::randn(sizes, dtype) * 0.5; };
    lstm = {drawn({1, 4 + hidden, 4 * hidden}),
            drawn({1, 4 * hidden}),
            drawn({1, hidden + 2}),
            drawn({1, 1}),
            drawn({1, hidden + 2}),
            drawn({1, 1})};
    const auto flat = [&] { return drawn({tasks, coordinates}); };
    const auto rows = [&] { return drawn({tasks, coordinates, hidden}); };
    in = {flat(), flat(), drawn({tasks, coordinates, 4}), {rows(), rows(), flat(), flat()}, 0.7};
    leaves = {lstm.weight,       lstm.bias,       lstm.forget_weight, lstm.forget_bias,
              lstm.input_weight, lstm.input_bias, in.theta,           in.state.hidden,
              in.state.cell,     in.state.forget, in.state.input};
  }

  // The header's equations in LibTorch's operations: theta', h', c', F', I'.
  std::vector<Tensor> written_out(const std::vector<Tensor>& p) const {
    const Tensor gates = torch::cat({in.inputs, p[7]}, 2).matmul(p[0]) + p[1].unsqueeze(1);
    const auto gate = [&](int64_t i) { return gates.narrow(2, i * hidden, hidden); };
    const Tensor cell = logistic(gate(1)) * p[8] + logistic(gate(0)) * torch::tanh(gate(3));
    const Tensor h = logistic(gate(2)) * torch::tanh(cell);
    const auto ahead = [&](const Tensor& w, const Tensor& b, const Tensor& before) {
      return h.matmul(w[0].narrow(0, 0, hidden)) + w.select(1, hidden) * p[6] +
             w.select(1, hidden + 1) * before + b;
    };
    const Tensor forget = ahead(p[2], p[3], p[9]), input = ahead(p[4], p[5], p[10]);
    return {logistic(forget) * p[6] - in.scale * logistic(input) * in.gradient, h, cell, forget, input};
  }
};

std::vector<Tensor> listed(const CoordinateLstm::Out& out) {
  return {out.theta, out.state.hidden, out.state.cell, out.state.forget, out.state.input};
}

double apart(const Tensor& a, const Tensor& b) { return (a - b).abs().max().item<double>(); }

}  // namespace

TEST_CASE("an LSTM's step in all coordinates is that of its equations", "[lstm]") {
  for (const auto dtype : {torch::kFloat32, torch::kFloat64}) {
    const Case c(dtype);
    const auto found = listed(c.lstm.step(c.in)), expected = c.written_out(c.leaves);
    for (size_t i = 0; i < found.size(); ++i) {
      CHECK(apart(found[i], expected[i]) < (dtype == torch::kFloat32 ? 2e-6 : 1e-14));
    }
  }
}

TEST_CASE("an LSTM's pullback is autograd's, with and without cotangents on the state", "[lstm]") {
  const Case c(torch::kFloat64);
  std::vector<Tensor> leaves;
  for (const auto& leaf : c.leaves) leaves.push_back(leaf.detach().clone().requires_grad_());
  for (const bool with_state : {false, true}) {
    const auto out = c.written_out(leaves);
    torch::manual_seed(3);
    std::vector<Tensor> cotangents;
    Tensor sum;
    for (size_t i = 0; i < out.size(); ++i) {
      cotangents.push_back(torch::randn(out[i].sizes(), torch::kFloat64));
      if (i > 0 && !with_state) {
        cotangents.back() = Tensor();
        continue;
      }
      const Tensor term = (cotangents[i] * out[i]).sum();
      sum = sum.defined() ? sum + term : term;
    }
    for (auto& leaf : leaves) leaf.mutable_grad() = Tensor();
    sum.backward();
    const auto found =
        c.lstm.pullback(c.in, {cotangents[0], {cotangents[1], cotangents[2], cotangents[3], cotangents[4]}});
    const auto& w = found.weights;
    const std::vector<Tensor> all{
        w.weight,         w.bias,      w.forget_weight,    w.forget_bias,    w.input_weight,
        w.input_bias,     found.theta, found.state.hidden, found.state.cell, found.state.forget,
        found.state.input};
    for (size_t i = 0; i < all.size(); ++i) {
      INFO(i);
      CHECK(apart(all[i], leaves[i].grad()) < 1e-11);
      CHECK(all[i].abs().max().item<double>() > 1e-6);
    }
  }
}

TEST_CASE("an LSTM of coordinates refuses other types", "[lstm]") {
  const Case c(torch::kHalf);
  CHECK_THROWS_WITH(c.lstm.step(c.in), contains("expected contiguous Float or Double"));
}
