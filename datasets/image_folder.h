// Few-shot classification over images of your own: mini-ImageNet, tieredImageNet, CIFAR-FS and others.
//
// dataset.path is a folder or a zip archive in one of two layouts:
//   folders  SPLIT/CLASS/.../*.png, *.jpg or *.jpeg; SPLIT is train, val (or validation) or test. One
//            folder around them all is passed over; images elsewhere are ignored.
//   lists    images anywhere in it, and train.csv, val.csv (or validation.csv) and test.csv with the columns
//            filename and label (Ravi and Larochelle 2017) in it or beside it. A filename may have folders in
//            front. Rows whose image is absent are counted in spec().protocol; a class keeps the images that
//            are there, and check() refuses it when they are too few.
// A folder without images but with one zip archive stands for the archive. A class may stand in one split
// only. Files with other extensions are ignored and counted.
//
// Pixels: red, green and blue, or one channel if all images are grey. With dataset.image_size = N all images
// become N x N by Lanczos (datasets/image_decode.h), whatever their aspect, as MAML's script makes them; with
// 0 images that all have one size keep it, others become 84 x 84. In memory one byte per channel and
// pixel: 1.27 GB for mini-ImageNet's 60,000 images.
#pragma once

#include <memory>

#include "datasets/dataset.h"

namespace innerloop {

inline constexpr char kImageFolderDescription[] =
    "images in class folders, or with CSV splits (mini-ImageNet, tieredImageNet, CIFAR-FS; own download)";

std::unique_ptr<Dataset> make_image_folder(const DatasetConfig& config);

}  // namespace innerloop
