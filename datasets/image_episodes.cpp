#include <algorithm>
#include <utility>

#include "base/error.h"
#include "base/permutation.h"
#include "datasets/checks.h"
#include "datasets/hash.h"
#include "datasets/image_store.h"
#include "datasets/names.h"
#include "datasets/pixel_values.h"

namespace innerloop {
namespace {

class ImageEpisodes : public Dataset {
 public:
  ImageEpisodes(DatasetSpec spec, ImageStore store, const std::vector<double>& mean,
                const std::vector<double>& std)
      : spec_(std::move(spec)), store_(std::move(store)) {
    spec_.input = {store_.channels, store_.height, store_.width};
    spec_.classification = true;
    require_sound_store();
    table_ = pixel_values(store_.channels, mean, std, spec_.name);
    single_table_.assign(table_.begin(), table_.end());
    spec_.black = spec_.white = {};
    for (size_t i = 0; i < table_.size(); i += 256) {
      spec_.black.push_back(table_[i]);
      spec_.white.push_back(table_[i + 255]);
    }
  }

  const DatasetSpec& spec() const override { return spec_; }

  void check(Split split, const EpisodeShape& shape) const override {
    require_shape(spec_, shape);
    const auto& classes = store_.of(split);
    const auto present = static_cast<int64_t>(classes.size());
    require_usage(present >= shape.ways, spec_.name, ": the ", split_name(split), " split has ", present,
                  " classes, a task of ", shape.ways, " ways needs ", shape.ways,
                  ". The data: ", spec_.protocol);
    const auto& smallest = smallest_class(split);
    const int64_t needed = shape.shots + shape.queries;
    require_usage(smallest.count >= needed, spec_.name, ": class ", smallest.name, " of the ",
                  split_name(split), " split has ", smallest.count, " images, a task of ", shape.shots,
                  " shots and ", shape.queries, " queries needs ", needed, " of every class");
  }

  void draw(Split split, const EpisodeShape& shape, Stream& stream, Episodes& episodes,
            int64_t t) const override {
    check(split, shape);
    require_slice(spec_, shape, episodes, t);
    if (episodes.support_x.scalar_type() == torch::kFloat32) {
      draw_task<float>(split, shape, stream, episodes, t, single_table_.data());
    } else {
      draw_task<double>(split, shape, stream, episodes, t, table_.data());
    }
  }

  std::vector<int64_t> drawn_classes(Split split, const EpisodeShape& shape, Stream& stream) const override {
    check(split, shape);
    std::vector<int64_t> classes;
    choose(split, shape, stream, [&](const Chosen& sample) {
      if (sample.place == 0) classes.push_back(sample.in_split);
    });
    return classes;
  }

  int64_t classes(Split split) const override { return static_cast<int64_t>(store_.of(split).size()); }

  int64_t samples_per_class(Split split) const override {
    return store_.of(split).empty() ? 0 : smallest_class(split).count;
  }

  std::vector<std::string> class_names(Split split) const override {
    std::vector<std::string> names;
    for (const auto& c : store_.of(split)) names.push_back(printable(c.name));
    return names;
  }

  std::string digest() const override {
    if (store_.encoded == 0) return "";
    Hash hash;
    hash.add(store_.encoded);
    for (const auto& classes : store_.classes) {
      hash.add(classes.size());
      for (const auto& c : classes) {
        hash.add(normal_form(c.name)).add(static_cast<uint64_t>(c.first)).add(static_cast<uint64_t>(c.count));
      }
    }
    return hash.hex();
  }

  Labelled draw_labelled(Split split, int64_t samples, Stream& stream,
                         torch::ScalarType dtype) const override {
    Labelled out{torch::empty({1, samples, store_.channels, store_.height, store_.width}, dtype),
                 torch::empty({1, samples}, torch::kInt64)};
    const auto fill = [&](auto* x, const auto* table) {
      for (int64_t i = 0; i < samples; ++i, x += store_.image_bytes()) {
        const uint64_t label = stream.below(store_.of(split).size());
        const auto& chosen = store_.of(split)[label];
        require(chosen.count > 0, spec_.name, ": class ", chosen.name, " has no images");
        const uint64_t turns = store_.rotate[static_cast<size_t>(split)] ? stream.below(4) : 0;
        const auto image = static_cast<int64_t>(stream.below(static_cast<uint64_t>(chosen.count)));
        convert(store_.image(chosen.first + image), turns, table, x);
        out.y.data_ptr<int64_t>()[i] = static_cast<int64_t>(label);
      }
    };
    if (dtype == torch::kFloat64) {
      fill(out.x.data_ptr<double>(), table_.data());
    } else {
      fill(out.x.data_ptr<float>(), single_table_.data());
    }
    return out;
  }

 private:
  // A caller's mistake here would read beyond the images.
  void require_sound_store() {
    require(store_.channels > 0 && store_.height > 0 && store_.width > 0, spec_.name, ": images of no size");
    for (const auto split : {Split::kTrain, Split::kValidation, Split::kTest}) {
      const auto s = static_cast<size_t>(split);
      require(!store_.rotate[s] || store_.height == store_.width, spec_.name,
              ": only square images can be turned, these are ", store_.height, " x ", store_.width);
      for (size_t i = 0; i < store_.of(split).size(); ++i) {
        const auto& c = store_.of(split)[i];
        require(c.first >= 0 && c.count >= 0 && c.first + c.count <= store_.images(), spec_.name, ": class ",
                c.name, " has images ", c.first, " to ", c.first + c.count - 1, " of ", store_.images());
        if (c.count < store_.of(split)[smallest_[s]].count) smallest_[s] = i;
      }
    }
  }

  const ImageClass& smallest_class(Split split) const {
    return store_.of(split)[smallest_[static_cast<size_t>(split)]];
  }

  // One sample of a task: of `label` the sample number `place`, shots first.
  struct Chosen {
    int64_t label, place;
    int64_t in_split;  // the class, among those of the split
    int64_t image;
    uint64_t turns;
  };

  // The samples of the task, label after label, each given to `visit`.
  template <class Visit>
  void choose(Split split, const EpisodeShape& shape, Stream& stream, const Visit& visit) const {
    const auto& classes = store_.of(split);
    Permutation class_choice(static_cast<int64_t>(classes.size()), stream);
    for (int64_t label = 0; label < shape.ways; ++label) {
      const int64_t in_split = class_choice.next();
      const auto& chosen = classes[static_cast<size_t>(in_split)];
      const uint64_t turns = store_.rotate[static_cast<size_t>(split)] ? stream.below(4) : 0;
      Permutation images(chosen.count, stream);
      for (int64_t place = 0; place < shape.shots + shape.queries; ++place)
        visit(Chosen{label, place, in_split, chosen.first + images.next(), turns});
    }
  }

  template <class T>
  void draw_task(Split split, const EpisodeShape& shape, Stream& stream, Episodes& episodes, int64_t t,
                 const T* table) const {
    const int64_t size = store_.image_bytes();
    T* support_x = episodes.support_x.data_ptr<T>() + t * shape.ways * shape.shots * size;
    T* query_x = episodes.query_x.data_ptr<T>() + t * shape.ways * shape.queries * size;
    int64_t* support_y = episodes.support_y.data_ptr<int64_t>() + t * shape.ways * shape.shots;
    int64_t* query_y = episodes.query_y.data_ptr<int64_t>() + t * shape.ways * shape.queries;
    choose(split, shape, stream, [&](const Chosen& sample) {
      const bool support = sample.place < shape.shots;
      T*& x = support ? support_x : query_x;
      int64_t*& y = support ? support_y : query_y;
      convert(store_.image(sample.image), sample.turns, table, x);
      x += size;
      *y++ = sample.label;
    });
  }

  // Turned counter-clockwise by quarter turns.
  template <class T>
  void convert(const uint8_t* from, uint64_t turns, const T* table, T* to) const {
    const int64_t height = store_.height, width = store_.width, area = height * width;
    for (int64_t channel = 0; channel < store_.channels; ++channel, from += area, to += area, table += 256) {
      if (turns == 0) {
        for (int64_t i = 0; i < area; ++i) to[i] = table[from[i]];
        continue;
      }
      // Where the pixel right of, and the pixel below, a turned image's pixel lie in the image.
      const int64_t right = turns == 1 ? width : turns == 2 ? -1 : -width;
      const int64_t below = turns == 1 ? -1 : turns == 2 ? -width : 1;
      const uint8_t* row = from + (turns == 1 ? width - 1 : turns == 2 ? area - 1 : area - width);
      T* out = to;
      for (int64_t r = 0; r < height; ++r, row += below) {
        for (int64_t c = 0; c < width; ++c) *out++ = table[row[c * right]];
      }
    }
  }

  DatasetSpec spec_;
  ImageStore store_;
  std::array<size_t, 3> smallest_{0, 0, 0};  // index of the class with the fewest images, by Split
  std::vector<double> table_;                // [channels][256]: what a byte enters as
  std::vector<float> single_table_;
};

}  // namespace

std::unique_ptr<Dataset> make_image_episodes(DatasetSpec spec, ImageStore store, std::vector<double> mean,
                                             std::vector<double> std) {
  return std::make_unique<ImageEpisodes>(std::move(spec), std::move(store), mean, std);
}

}  // namespace innerloop
