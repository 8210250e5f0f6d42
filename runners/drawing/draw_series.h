// Pictures of any environment: what was observed, done and rewarded over the steps of an episode, a strip for
// each number.
#pragma once

#include <opencv2/core.hpp>
#include <string>
#include <vector>

#include "envs/environment.h"
#include "runners/drawing/trajectory_renderer.h"
#include "sampling/trajectories.h"

namespace innerloop {

// One number of a batch of trajectories over time.
struct Strip {
  std::string name;
  std::vector<std::vector<float>> values;  // [trajectory][step]
  double low = 0, high = 0;                // what the strip shows
};

// Those of task t: the first observations (up to 8) and actions (up to 4), and the reward. Ranges are those
// of the values.
std::vector<Strip> make_strips(const EnvironmentSpec& spec, const Trajectories& trajectories, int64_t t);

// Gives strips of several pictures that are compared the same ranges.
void share_ranges(std::vector<std::vector<Strip>>& pictures);

class SeriesRenderer : public TrajectoryRenderer {
 public:
  // `omitted`: numbers of the environment that have no strip.
  SeriesRenderer(std::vector<Strip> strips, int64_t omitted, size_t focus, int64_t horizon, cv::Size size);

  cv::Size size() const override { return size_; }
  int64_t frames() const override;
  cv::Mat frame(int64_t t) const override;  // up to the t-th step
  cv::Mat whole() const override;
  std::vector<LegendEntry> legend() const override;

 private:
  cv::Mat draw(size_t steps, size_t batch_steps) const;

  std::vector<Strip> strips_;
  int64_t omitted_;
  size_t focus_;
  int64_t horizon_;
  cv::Size size_;
};

// How many numbers make_strips leaves out.
int64_t omitted_strips(const EnvironmentSpec& spec);

}  // namespace innerloop
