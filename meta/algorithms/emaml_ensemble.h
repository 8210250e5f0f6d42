// An ensemble of MAMLs (EMAML of Yoon et al., NeurIPS 2018, section 5): M initialisations, drawn and
// meta-learned each for itself on the same tasks, whose adapted networks' predictions are averaged.
//
//   theta = (theta_1, .., theta_M);   phi_{m,k+1} = phi_{m,k} - alpha grad L_support(phi_{m,k})
//   the meta-gradient is that of sum_m L_query(phi_{m,K}), so that particles do not see each other
//   prediction: mean over m of the output; of classes, of their probabilities
//
// The reported loss is that sum. It is Bayesian MAML (bmaml.h) without the kernel: what that is held against.
// Every entry has a particle dimension behind the tasks', [1, M, ...].
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "meta/algorithm.h"
#include "meta/episode_task.h"

namespace innerloop {

Algorithm emaml_ensemble();

// A network's parameters [T, M, ...] as those of T M tasks [T M, ...], and back. Entries that are not the
// network's, [T, M], become [T M, 1].
Params of_particles(const Params& particles);
Params to_particles(const Params& flat, const Params& like);

Params first_particle(const Params& particles);  // [T, ...]

// M draws of a network's parameters side by side, [1, M, ...]; `first` is the first of them.
Params drawn_particles(const Params& first, int64_t particles, const std::function<Params(Stream&)>& initial,
                       Stream& stream);

// T tasks seen by M particles each: the loss of a task is the sum over its particles. `head`: the loss on a
// part, a row for each particle, or null for the data set's own.
class ParticleTask : public EpisodeView {
 public:
  using HeadOf = std::function<std::shared_ptr<const Head>(const EpisodeTask& repeated, Part part)>;
  ParticleTask(const EpisodeTask& tasks, int64_t particles, HeadOf head = nullptr);

  int64_t size() const override { return tasks_; }
  torch::Tensor loss(Part part, const Params& phi, int64_t step) const override;
  std::unique_ptr<LossAt> loss_at(Part part, const Params& phi, int64_t step) const override;

  // The mean over particles of the output on the query sets, [T, samples, outputs]: log of the mean
  // probability where there are classes.
  torch::Tensor query_output(const Params& phi) const override;

  // EpisodeTask::statistics, the mean over particles: averages of normalisation are common to all of them.
  Params statistics(const Params& phi) const override;

 private:
  std::shared_ptr<const Head> head(Part part) const;

  int64_t tasks_, particles_;
  EpisodeTask repeated_;  // every task M times, its particles side by side
  HeadOf head_;
};

}  // namespace innerloop
