#include "datasets/image_size.h"

#include "datasets/image_decode.h"
#include "tests/catch.h"
#include "tests/datasets/fixtures.h"

using namespace innerloop;
using namespace innerloop::testing;

namespace {

// "WIDTH x HEIGHT", or "none".
std::string size_of(const Bytes& bytes) {
  const auto size = declared_size(bytes);
  return size ? concat(size->width, " x ", size->height) : "none";
}

}  // namespace

TEST_CASE("the size that a header declares is that of the decoded image", "[datasets][image_size]") {
  for (const std::string format : {".png", ".jpg", ".webp", ".bmp", ".tiff"}) {
    CAPTURE(format);
    for (const auto& bytes : {colour_image(24, 300, {250, 120, 10}, format),
                              grey_image(
                                  7, 5, [](int r, int c) { return 9 * r + c; }, format)}) {
      const auto image = decode_image(bytes, 0, "x");
      CHECK(size_of(bytes) == concat(image.width, " x ", image.height));
    }
  }
  Bytes lossless;
  cv::imencode(".webp", cv::Mat(70, 300, CV_8UC3, cv::Scalar(1, 2, 3)), lossless,
               {cv::IMWRITE_WEBP_QUALITY, 101});
  CHECK(size_of(lossless) == "300 x 70");
}

TEST_CASE("headers that are cut short, or of nothing, declare no size", "[datasets][image_size]") {
  for (const std::string format : {".png", ".jpg", ".webp", ".bmp", ".tiff"}) {
    CAPTURE(format);
    const auto whole = colour_image(24, 300, {250, 120, 10}, format);
    CHECK(size_of(Bytes(whole.begin(), whole.begin() + 10)) == "none");
    for (size_t length = 0; length < whole.size(); ++length)
      declared_size(Bytes(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(length)));
  }
  CHECK(size_of(text("GIF89a and more")) == "none");
  CHECK(size_of({}) == "none");
}

TEST_CASE("a small file that declares gigabytes of pixels is refused before it is decoded",
          "[datasets][image_decode]") {
  auto bmp = colour_image(4, 4, {250, 120, 10}, ".bmp");
  bmp[18 + 2] = bmp[22 + 2] = 0x40;  // the third bytes of width and height: 4 + (64 << 16) each
  CHECK_THAT(error_of([&] { decode_image(bmp, 0, "x.bmp"); }),
             contains("x.bmp is too large: it declares 4194308 x 4194308 pixels"));
  auto jpeg = colour_image(16, 16, {250, 120, 10}, ".jpg");
  const Bytes frame{0xff, 0xc0};
  const auto at = std::search(jpeg.begin(), jpeg.end(), frame.begin(), frame.end()) - jpeg.begin();
  for (const auto place : {at + 5, at + 7}) jpeg[static_cast<size_t>(place)] = 0x7f;  // 32528 x 32528
  CHECK_THAT(error_of([&] { decode_image(jpeg, 0, "x.jpg"); }),
             contains("x.jpg is too large: it declares 32528 x 32528 pixels"));
}
