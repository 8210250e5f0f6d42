// Faces (or anything else that is recognised one by one) of several domains, from files of your own.
//
// `path` is a folder or an archive (datasets/archive.h) with images DOMAIN/IDENTITY/.../FILE; folders around
// all domains are passed over. An identity belongs to its domain: the same name in another domain is another
// one. Whole domains are training's, validation's and test's, as dataset.validation_domains and
// dataset.test_domains say or by chance (datasets/domain_split.h).
//
// Identities with fewer than two images cannot be recognised and are left out; they, images that lie in no
// DOMAIN/IDENTITY folder, files that are no images and links that are not followed are named in
// spec().protocol, the first few and their number. A class is named DOMAIN/IDENTITY. Images and pixels are as
// in `image_folder`, but for crop, which is `center` unless said otherwise.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "datasets/dataset.h"
#include "datasets/domain_split.h"
#include "datasets/image_settings.h"

namespace innerloop {

inline constexpr char kFaceFolderDescription[] =
    "images DOMAIN/IDENTITY/FILE, whose whole domains are trained on or never (faces; own data)";

struct FaceFolderSettings {
  std::string path;        // folder or archive, also looked for under the folder INNERLOOP_DATA
  int64_t image_size = 0;  // pixels a side; 0 = as they are, or 84 if they have several sizes
  std::vector<double> mean{0}, std{1};
  std::string crop = "center";
  bool exif = true;
  bool skip_damaged = false;
  DomainSplit domains;
};
inline const Keys<FaceFolderSettings> kFaceFolderKeys{with_pixel_keys<FaceFolderSettings>([] {
  using C = FaceFolderSettings;
  auto keys = domain_keys<C>();
  keys.insert(
      keys.begin(),
      {keys::free(keys::text("path", &C::path, "a path without #", true, kPathMeaning)),
       keys::choice("crop", &C::crop, {"stretch", "center"},
                    "how an image becomes a square: whatever its aspect, or cut to its middle"),
       keys::truth("exif", &C::exif, "turn images upright as their Exif data say"),
       keys::truth("skip_damaged", &C::skip_damaged, "leave out images that cannot be read, and name them")});
  return keys;
}())};

// UsageError for settings that cannot be; Error for data that are missing or damaged, for images without
// domains, for fewer than two domains, and for a domain with fewer than two identities of two images.
std::unique_ptr<Dataset> make_face_folder(const FaceFolderSettings& settings);

}  // namespace innerloop
