// The Eigen form against the torch form.
#include "policies/action_sampler.h"

#include "base/error.h"
#include "tests/policies/fixtures.h"
#include "tests/torch_catch.h"

namespace innerloop {
namespace {

using namespace testing;

std::vector<Stream> make_streams(int64_t count, uint64_t seed) {
  std::vector<Stream> out;
  for (int64_t b = 0; b < count; ++b) {
    out.emplace_back(StreamKey{.seed = seed, .trajectory = static_cast<uint64_t>(b)});
  }
  return out;
}

std::vector<Stream*> pointers(std::vector<Stream>& streams) {
  std::vector<Stream*> out;
  for (auto& stream : streams) out.push_back(&stream);
  return out;
}

Eigen::MatrixXf columns(const torch::Tensor& rows) {  // [N, D] -> [D, N]
  const auto r = rows.contiguous();
  return Eigen::Map<const Eigen::MatrixXf>(r.data_ptr<float>(), r.size(1), r.size(0));
}

TEST_CASE("the Eigen form of the Gaussian acts as the torch form, for every shape, activation and task",
          "[action_sampler]") {
  const auto hidden = GENERATE(std::vector<int64_t>{}, std::vector<int64_t>{1}, std::vector<int64_t>{5, 17},
                               std::vector<int64_t>{64, 64}, std::vector<int64_t>{100, 100},
                               std::vector<int64_t>{33, 7, 130});
  const auto activation = GENERATE(std::string("relu"), std::string("tanh"));
  const auto [inputs, actions] =
      GENERATE(std::pair<int64_t, int64_t>{1, 1}, std::pair<int64_t, int64_t>{2, 2},
               std::pair<int64_t, int64_t>{20, 6}, std::pair<int64_t, int64_t>{3, 21});
  const auto policy = make_policy({.hidden = hidden, .activation = activation, .own = {{"min_std", 0.9}}},
                                  continuous(inputs, actions));
  const int64_t tasks = 3, batch = 13;
  const auto params = different_tasks(*policy, tasks);
  const auto observations = 2 * normal({tasks, batch, inputs}, 11, torch::kFloat32);
  const auto d = (*policy)(params, observations);
  for (int64_t task = 0; task < tasks; ++task) {
    const auto sampler = policy->sampler(params, task);
    REQUIRE(sampler->observation_size() == inputs);
    REQUIRE(sampler->action_entries() == actions);
    const auto workspace = sampler->workspace(batch);
    auto streams = make_streams(batch, 5), same = make_streams(batch, 5);
    Eigen::MatrixXf found(actions, batch);
    sampler->act(columns(observations[task]), pointers(streams).data(), *workspace, found);
    auto noise = torch::empty({batch, actions});
    for (int64_t b = 0; b < batch; ++b) {
      for (int64_t i = 0; i < actions; ++i) noise[b][i] = same[static_cast<size_t>(b)].normal();
    }
    const auto expected =
        columns(d[task].narrow(-1, 0, actions) + d[task].narrow(-1, actions, actions).exp() * noise);
    CHECK((found - expected).cwiseAbs().maxCoeff() < 2e-5f * (1 + expected.cwiseAbs().maxCoeff()));
  }
}

TEST_CASE("an action depends on its own observation and stream, not on its column or the number of columns",
          "[action_sampler]") {
  const auto activation = GENERATE(std::string("relu"), std::string("tanh"));
  const auto policy = make_policy({.hidden = {37, 50}, .activation = activation}, continuous(4, 3));
  const auto sampler = policy->sampler(different_tasks(*policy, 1), 0);
  const int64_t batch = 23;
  const auto workspace = sampler->workspace(batch);
  const auto observations = columns(normal({batch, 4}, 2, torch::kFloat32));
  auto streams = make_streams(batch, 1);
  Eigen::MatrixXf all(3, batch);
  sampler->act(observations, pointers(streams).data(), *workspace, all);
  for (int64_t first = 0; first < batch; ++first) {
    for (int64_t count = 1; first + count <= batch; count += 3) {
      auto fresh = make_streams(batch, 1);
      Eigen::MatrixXf some(3, count);
      sampler->act(observations.middleCols(first, count), pointers(fresh).data() + first, *workspace, some);
      REQUIRE(some == all.middleCols(first, count));
    }
  }
}

TEST_CASE("a sampler keeps the weights of the moment it was made", "[action_sampler]") {
  const auto policy = make_policy({.hidden = {4}}, continuous(2, 1));
  const auto params = different_tasks(*policy, 1).cloned();
  const auto sampler = policy->sampler(params, 0);
  const auto workspace = sampler->workspace(1);
  const auto act = [&] {
    auto streams = make_streams(1, 1);
    Eigen::MatrixXf action(1, 1);
    sampler->act(Eigen::MatrixXf::Ones(2, 1), pointers(streams).data(), *workspace, action);
    return action(0, 0);
  };
  const float before = act();
  for (const auto& value : params.tensors()) value.zero_();
  CHECK(act() == before);
}

TEST_CASE("weights that are not numbers give actions that are not, in both activations", "[action_sampler]") {
  const auto activation = GENERATE(std::string("relu"), std::string("tanh"));
  const auto policy = make_policy({.hidden = {4, 4}, .activation = activation}, continuous(2, 1));
  auto values = different_tasks(*policy, 1).tensors();
  values[0][0][1][1] = std::numeric_limits<float>::quiet_NaN();
  Stream stream({.seed = 1});
  const auto sampler = policy->sampler(policy->initial(stream).with(values), 0);
  const auto workspace = sampler->workspace(1);
  auto streams = make_streams(1, 1);
  Eigen::MatrixXf action(1, 1);
  sampler->act(Eigen::MatrixXf::Ones(2, 1), pointers(streams).data(), *workspace, action);
  CHECK(std::isnan(action(0, 0)));
}

TEST_CASE("asking for a task that the parameters do not have, or too many columns, is an error",
          "[action_sampler]") {
  const auto policy = make_policy({.hidden = {4}}, continuous(2, 1));
  const auto params = different_tasks(*policy, 2);
  CHECK_THROWS_WITH(policy->sampler(params, 2), contains("task 2 asked of parameters of 2 tasks"));
  const auto sampler = policy->sampler(params, 1);
  const auto workspace = sampler->workspace(3);
  auto streams = make_streams(4, 1);
  Eigen::MatrixXf action(1, 4);
  CHECK_THROWS_AS(sampler->act(Eigen::MatrixXf::Ones(2, 4), pointers(streams).data(), *workspace, action),
                  Error);
  CHECK_THROWS_AS(sampler->act(Eigen::MatrixXf::Ones(3, 3), pointers(streams).data(), *workspace, action),
                  Error);
}

TEST_CASE("a policy that cannot act in the environment is refused, with the one that can", "[policy]") {
  CHECK_THROWS_WITH(make_policy({}, discrete(2, 3)), contains("takes discrete ones; use categorical_mlp"));
  CHECK_THROWS_WITH(make_policy({.name = "categorical_mlp"}, continuous(2, 3)), contains("use gaussian_mlp"));
  CHECK_THROWS_AS(make_policy({}, discrete(2, 3)), UsageError);
  CHECK_THROWS_WITH(make_policy({.name = "gausian_mlp"}, continuous(2, 3)),
                    contains("did you mean 'gaussian_mlp'"));
  CHECK_THROWS_AS(make_policy({.hidden = {0}}, continuous(2, 3)), UsageError);
  CHECK_THROWS_AS(make_policy({.activation = "gelu"}, continuous(2, 3)), UsageError);
  CHECK_THROWS_AS(make_policy({}, continuous(2, 0)), UsageError);
  CHECK_THROWS_AS(make_policy({}, continuous(0, 2)), UsageError);
}

TEST_CASE("every policy of the table can be made and describes itself", "[policy]") {
  REQUIRE(policies().size() >= 2);
  for (const auto& [name, description, keys] : policies()) {
    const auto environment = name.starts_with("categorical") ? discrete(2, 3) : continuous(2, 3);
    CHECK(make_policy({.name = name}, environment)->network().config().outputs == 3);
    CHECK_FALSE(description.empty());
    const bool recurrent = name.ends_with("_gru") || name.ends_with("_lstm");
    const size_t own =
        (name.starts_with("gaussian") ? 3 : 0) + (recurrent ? 2 : 0) + (name.ends_with("_lstm") ? 1 : 0);
    CHECK(keys.size() == own);
    CHECK((make_policy({.name = name}, environment)->cell() != nullptr) == recurrent);
  }
}

}  // namespace
}  // namespace innerloop
