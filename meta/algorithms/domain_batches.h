// What methods share that learn to recognise classes (people, characters) of domains never trained on
// (datasets/domains.h; Guo et al., CVPR 2020; Faraki et al., CVPR 2021): the images of a step, templates of
// classes, and a step in which every domain takes its turn as the unseen one.
//
// A step takes n = meta.batch_size of the training domains: all of them, or as many drawn anew where there
// are more. Of each it has one batch, B = dataset.ways identities with a gallery image and a probe, the same
// in every task of the step and for every algorithm with the same seed. Task r of the step is the rotation in
// which domain r is the meta-test domain:
//
//   support   the batches of the n - 1 other domains, of each its B gallery images, then their probes
//   query     the batch of domain r
//   labels    places among all training classes
#pragma once

#include <cstdint>
#include <string>

#include "datasets/domains.h"
#include "meta/algorithm.h"
#include "meta/method.h"

namespace innerloop {

class DomainBatches {
 public:
  // UsageError, naming `algorithm`, for a data set without domains, fewer training domains than
  // meta.batch_size, fewer than two of either, other shots and queries than 1, and a training domain without
  // B identities of two images.
  DomainBatches(const std::string& algorithm, const MethodContext& context);

  int64_t domains() const { return domains_; }  // n

  // The domain of each training class, [classes] int64.
  const torch::Tensor& domain_of_class() const { return domain_of_class_; }

  // Rotations now.first_task, ... of the step: [T, (n - 1) 2 B, ...] and [T, 2 B, ...].
  Episodes rotations(const TaskSource& source, const Moment& now, int64_t count) const;

  // Domains now.first_task, ... of the step each as a task: its gallery images as support set, its probes as
  // query set.
  Episodes each_domain(const TaskSource& source, const Moment& now, int64_t count) const;

 private:
  struct Batch {
    torch::Tensor gallery, probe;  // [B, input...]
    torch::Tensor labels;          // [B]
  };
  Batch batch(const Dataset& dataset, const Moment& now, int64_t slot) const;

  int64_t domains_, identities_;
  torch::Tensor domain_of_class_;
};

// An embedding of samples, [T, D 2 B, E] with domains, gallery images and probes as above, as unit rows.
struct DomainPairs {
  torch::Tensor gallery, probe;  // [T, D, B, E]
};
DomainPairs domain_pairs(const torch::Tensor& embedding, int64_t domains);

// Templates, [1, classes, E] with rows of length 1 in random directions.
torch::Tensor initial_templates(Stream& stream, int64_t classes, int64_t embedding);

// scale cos(embedding, template) of every class, [T, N, classes]; with domains (not undefined) those of other
// domains than the label's are out of the question.
torch::Tensor template_scores(const torch::Tensor& embedding, const torch::Tensor& templates, double scale);
torch::Tensor within_domain(const torch::Tensor& scores, const torch::Tensor& labels,
                            const torch::Tensor& domain_of_class);

// Mean cross-entropy, [T].
torch::Tensor mean_cross_entropy(const torch::Tensor& scores, const torch::Tensor& labels);

}  // namespace innerloop
