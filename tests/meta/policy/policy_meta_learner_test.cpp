#include "meta/policy/policy_meta_learner.h"

#include <cmath>

#include "base/error.h"
#include "meta/algorithms/registry.h"
#include "networks/tensors/gradient_check.h"
#include "tests/torch_catch.h"

using namespace innerloop;

namespace {

PolicyMetaConfig small_config() {
  PolicyMetaConfig config;
  config.environment.horizon = 12;
  config.policy.hidden = {8, 8};
  config.sampler.trajectories = 5;
  config.inner.step_size = 0.5;
  config.meta_batch_size = 3;
  config.seed = 7;
  return config;
}

const Algorithm& maml_row() { return find_algorithm("maml"); }

}  // namespace

TEST_CASE("an iteration depends on the saved state and its number alone", "[meta][rl][determinism]") {
  PolicyMetaConfig config = small_config();
  config.optimizer.name = GENERATE(std::string("trpo"), std::string("adam"), std::string("sgd"));
  ThreadPool pool(2, Executor::prepare_thread);
  PolicyMetaLearner straight(config, maml_row(), pool);
  for (int64_t i = 0; i < 4; ++i) straight.iterate(i);

  PolicyMetaLearner first(config, maml_row(), pool), second(config, maml_row(), pool);
  for (int64_t i = 0; i < 2; ++i) first.iterate(i);
  first.evaluate({.tasks = 2, .steps = 1, .trajectories = 3});  // an evaluation in between disturbs nothing
  second.restore(first.meta_parameters(), first.optimizer_state(), first.method_state());
  for (int64_t i = 2; i < 4; ++i) second.iterate(i);
  CHECK(identical(straight.meta_parameters(), second.meta_parameters()));
  CHECK(!identical(straight.meta_parameters(), first.meta_parameters()));
}

TEST_CASE("a report covers every inner step", "[meta][rl]") {
  PolicyMetaConfig config = small_config();
  config.inner.steps = 2;
  ThreadPool pool(1, Executor::prepare_thread);
  PolicyMetaLearner learner(config, maml_row(), pool);
  const auto report = learner.iterate(0);
  CHECK(report.returns.size() == 3);
  CHECK(report.explained_variance.size() == 3);
  CHECK(report.environment_steps <= 3 * 3 * 5 * 12);
  CHECK(report.environment_steps > 3 * 3 * 5);
  CHECK(report.returns[0].min <= report.returns[0].mean);
  CHECK(report.returns[0].mean <= report.returns[0].max);
  CHECK(report.meta_step.kl_before == Approx(0).margin(1e-9));
  const double parts = report.meta_gradient_seconds + report.curvature_seconds + report.objective_seconds;
  CHECK(report.meta_gradient_seconds > 0);
  CHECK(report.curvature_seconds > 0);
  CHECK(report.objective_seconds > 0);
  CHECK(parts <= report.meta_step_seconds);
  CHECK(report.inner_step_seconds > 0);
  // Two standard normal actions: entropy log(2 pi e) at the start, moved a little by two inner steps.
  CHECK(report.entropy == Approx(std::log(2 * M_PI) + 1).margin(0.5));
}

TEST_CASE("Meta-SGD learns its step sizes", "[meta][rl]") {
  ThreadPool pool(2, Executor::prepare_thread);
  PolicyMetaLearner learner(small_config(), find_algorithm("meta_sgd"), pool);
  const Params before = learner.meta_parameters();
  bool accepted = false;
  for (int64_t i = 0; i < 3; ++i) accepted = learner.iterate(i).meta_step.accepted || accepted;
  CHECK(accepted);
  const std::string name = "inner.step_size.layer0.weight";
  CHECK(!torch::equal(before.at(name), learner.meta_parameters().at(name)));
}

TEST_CASE("an action that is not finite names task and inner step and keeps the parameters", "[meta][rl]") {
  const PolicyMetaConfig config = small_config();
  ThreadPool pool(2, Executor::prepare_thread);
  PolicyMetaLearner learner(config, maml_row(), pool);
  Params broken = learner.meta_parameters().cloned();
  broken[0].view(-1)[0] = std::numeric_limits<float>::quiet_NaN();
  learner.use(broken, {});
  CHECK_THROWS_WITH(learner.iterate(0), contains("inner step 0") && contains("task 0") && contains("action"));
  const auto bits = [](const Params& params) {
    return params.map([](const torch::Tensor& value) { return value.view(torch::kInt); });
  };
  CHECK(identical(bits(learner.meta_parameters()), bits(broken)));
}

TEST_CASE("parameters that do not fit are refused by name", "[meta][rl]") {
  const PolicyMetaConfig config = small_config();
  ThreadPool pool(1, Executor::prepare_thread);
  PolicyMetaLearner learner(config, maml_row(), pool);
  PolicyMetaConfig wider = config;
  wider.policy.hidden = {9, 8};
  PolicyMetaLearner other(wider, maml_row(), pool);
  CHECK_THROWS_WITH(learner.restore(other.meta_parameters(), other.optimizer_state(), {}),
                    contains("'layer0.weight'") && contains("expected"));
  CHECK_THROWS_WITH(learner.restore(Params(), Params(), Params()), contains("entries"));
}

TEST_CASE("sizes that cannot be meant are refused", "[meta][rl]") {
  ThreadPool pool(1, Executor::prepare_thread);
  PolicyMetaConfig config = small_config();
  config.meta_batch_size = 0;
  CHECK_THROWS_WITH(PolicyMetaLearner(config, maml_row(), pool), contains("meta.batch_size: 0"));
  config = small_config();
  config.sampler.trajectories = -1;
  CHECK_THROWS_WITH(PolicyMetaLearner(config, maml_row(), pool), contains("sampler.trajectories: -1"));
  PolicyMetaLearner learner(small_config(), maml_row(), pool);
  CHECK_THROWS_WITH(learner.evaluate({.tasks = 0}), contains("0 tasks"));
}

TEST_CASE("MAML learns to adapt on 2D navigation", "[slow][meta][rl]") {
  PolicyMetaConfig config;
  config.inner.step_size = 0.5;
  config.meta_batch_size = 20;
  ThreadPool pool(2, Executor::prepare_thread);
  PolicyMetaLearner learner(config, maml_row(), pool);
  for (int64_t i = 0; i < 60; ++i) learner.iterate(i);
  const auto evaluation = learner.evaluate({.tasks = 40, .steps = 1, .trajectories = 40});
  double before = 0, after = 0;
  for (const auto& task : evaluation.tasks) {
    before += task.returns[0] / 40;
    after += task.returns[1] / 40;
  }
  CHECK(after > -20);          // standing still gives -38.3, the untrained policy less than -70
  CHECK(after > before + 10);  // and the step itself does it
}
