// Long trainings: what the process holds (resident memory, open descriptors) stays as it is after a warm-up.
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <utility>
#include <vector>

#include "base/allocator.h"
#include "meta/executor.h"
#include "runners/experiment/policy_job.h"
#include "runners/experiment/supervised_job.h"
#include "runners/experiment/training.h"
#include "tests/runners/scratch_folder.h"
#include "tests/torch_catch.h"

using namespace innerloop;

namespace {

double resident_megabytes() {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;) {
    double kilobytes = 0;
    if (word == "VmRSS:" && status >> kilobytes) return kilobytes / 1024;
  }
  throw Error("/proc/self/status has no VmRSS");
}

int64_t open_descriptors() {
  const std::filesystem::directory_iterator all("/proc/self/fd");
  return std::distance(begin(all), end(all));
}

struct Held {
  double megabytes;
  int64_t descriptors;
};

// A job that looks at the process after each iteration.
template <class Job>
class Watched : public Job {
 public:
  using Job::Job;
  ProgressNews after(int64_t done) override {
    auto news = Job::after(done);
    held.push_back({resident_megabytes(), open_descriptors()});
    return news;
  }
  std::vector<Held> held;
};

template <class Job>
std::vector<Held> train(const ExperimentConfig& config) {
  const ScratchFolder folder;
  ThreadPool pool(thread_count(config), &Executor::prepare_thread);
  Watched<Job> job(config, pool);
  const TrainingRequest request{"train", config, RunDirectory(folder / "run")};
  CHECK(Training(request, job, pool).run().exit_code == 0);
  return std::move(job.held);
}

// The most that any iteration of [from, to) left behind, as shares of all.
Held most(const std::vector<Held>& held, double from, double to) {
  const auto at = [&](double share) {
    return held.begin() + static_cast<std::ptrdiff_t>(share * static_cast<double>(held.size()));
  };
  Held out = *at(from);
  std::for_each(at(from), at(to), [&](const Held& h) {
    out = {std::max(out.megabytes, h.megabytes), std::max(out.descriptors, h.descriptors)};
  });
  return out;
}

}  // namespace

TEST_CASE("a long training holds no more memory and descriptors than a short one", "[slow][soak]") {
  keep_freed_memory();
  const auto [name, iterations] = GENERATE(table<std::string, int64_t>(
      {{"sine_5shot", 20000}, {"navigation_2d", 200}, {"half_cheetah_velocity", 20}}));
  auto config = make_config(read_settings(find_config(name)));
  config.iterations = iterations;
  const bool policy = config.side == Side::kPolicy;
  const auto held = policy ? train<PolicyJob>(config) : train<SupervisedJob>(config);
  REQUIRE(static_cast<int64_t>(held.size()) == iterations);
  const Held early = most(held, 0.2, 0.4), late = most(held, 0.8, 1);
  std::cout << name << ", " << iterations << " iterations: " << held.front().megabytes
            << " MB after the first, " << early.megabytes << " MB at most in the second fifth, "
            << late.megabytes << " MB in the last; descriptors " << early.descriptors << " and "
            << late.descriptors << std::endl;
  CHECK(late.megabytes < 1.02 * early.megabytes + 1);
  CHECK(late.descriptors == early.descriptors);
}
