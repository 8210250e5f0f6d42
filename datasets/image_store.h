// Labelled images in memory, as bytes, and the classes of each split.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "datasets/dataset.h"
#include "datasets/domains.h"

namespace innerloop {

struct ImageClass {
  std::string name;   // "Greek/character03", "n01532829"
  int64_t first = 0;  // images first .. first + count - 1
  int64_t count = 0;  // 0 where a list names a class of which no image is there
  // Where the images are turned copies of others in the store: the first of those. -1: they are themselves.
  int64_t copies_of = -1;

  int64_t origin() const { return copies_of < 0 ? first : copies_of; }
};

struct ImageStore {
  int64_t channels = 1, height = 28, width = 28;
  std::vector<uint8_t> pixels;                     // [images][channels][height][width]
  std::array<std::vector<ImageClass>, 3> classes;  // by Split; no class stands in two splits
  // By Split: the domains of the classes, or none. All classes of a split stand in them, one after another.
  std::array<std::vector<Domain>, 3> domains;
  // A task turns each of its classes by a random multiple of 90 degrees (MAML's Omniglot protocol); needs
  // height == width.
  std::array<bool, 3> rotate{false, false, false};
  // By Split, the group of each class (its alphabet): a task takes its classes from one of the groups that
  // have enough, each as often as another. Empty: from all.
  std::array<std::vector<int64_t>, 3> groups;
  // A task takes the images of the same places from each of its classes: those of one number in all classes
  // are one drawer's. Classes of one split then need to have the same number of images.
  bool common_places = false;
  // Hash over the encoded images in order (PixelBlock::encoded); 0 where no file is read.
  uint64_t encoded = 0;

  int64_t image_bytes() const { return channels * height * width; }
  int64_t images() const { return static_cast<int64_t>(pixels.size()) / image_bytes(); }
  const uint8_t* image(int64_t index) const { return pixels.data() + index * image_bytes(); }
  const std::vector<ImageClass>& of(Split split) const { return classes[static_cast<size_t>(split)]; }
};

// Domains of classes named "DOMAIN/...", those of a domain one after another.
std::vector<Domain> domains_by_name(const std::vector<ImageClass>& classes);

// Few-shot classification over a store: `ways` distinct classes in random order are the labels 0..ways-1,
// each with shots + queries distinct images. Pixels p / 255 enter as (p / 255 - mean) / std. mean and std
// hold one number or one per channel.
std::unique_ptr<Dataset> make_image_episodes(DatasetSpec spec, ImageStore store, std::vector<double> mean,
                                             std::vector<double> std);

}  // namespace innerloop
