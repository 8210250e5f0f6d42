#include "datasets/image_decode.h"

#include "tests/catch.h"
#include "tests/datasets/fixtures.h"

using namespace innerloop;
using namespace innerloop::testing;

namespace {

Image pattern(int64_t height, int64_t width) {
  Image image{1, height, width, {}};
  for (int64_t r = 0; r < height; ++r) {
    for (int64_t c = 0; c < width; ++c) {
      const int64_t value = ((r * 7 + c * 13) % 23 * 11 + ((r / 5 + c / 7) % 2 == 1 ? 255 : 0)) / 2;
      image.planes.push_back(static_cast<uint8_t>(value));
    }
  }
  return image;
}

Bytes resized(const Image& image, int64_t height, int64_t width) {
  Bytes out(static_cast<size_t>(image.channels * height * width));
  resize_lanczos(image, height, width, out.data());
  return out;
}

// The JPEG file with an Exif segment that holds this orientation.
Bytes with_orientation(const Bytes& jpeg, int orientation) {
  Bytes segment{0xff, 0xe1, 0, 34, 'E', 'x', 'i', 'f', 0, 0, 'M', 'M', 0, 42, 0, 0, 0, 8};
  const Bytes directory{0, 1, 0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, static_cast<uint8_t>(orientation),
                        0, 0, 0,    0,    0, 0};
  segment.insert(segment.end(), directory.begin(), directory.end());
  auto bytes = jpeg;
  bytes.insert(bytes.begin() + 2, segment.begin(), segment.end());
  return bytes;
}

// Which corner is white: "tl", "tr", "bl" or "br"; and whether the image is wider than high.
std::string look(const Image& image) {
  const auto white = [&](int64_t r, int64_t c) {
    return image.planes[static_cast<size_t>(r * image.width + c)] > 128;
  };
  const int64_t h = image.height - 1, w = image.width - 1;
  return concat(white(0, 0) ? "tl" : "", white(0, w) ? "tr" : "", white(h, 0) ? "bl" : "",
                white(h, w) ? "br" : "", image.width > image.height ? " wide" : " high");
}

}  // namespace

// Made with Pillow 13.0.0: Image.fromarray(pattern).resize((width, height), Image.LANCZOS)
TEST_CASE("Lanczos makes the bytes that Pillow makes", "[datasets][image_decode]") {
  CHECK(resized(pattern(13, 17), 5, 6) == Bytes{52,  40, 131, 209, 181, 61, 78,  63,  120, 180,
                                                159, 79, 191, 209, 125, 42, 70,  182, 156, 167,
                                                123, 78, 100, 168, 62,  47, 120, 201, 169, 61});
  CHECK(resized(pattern(5, 4), 8, 9) ==
        Bytes{0,   8,  44, 64,  36,  13, 41, 86, 111, 5,   24,  68, 95,  68, 28, 27, 46,  61,
              29,  50, 83, 110, 103, 65, 26, 2,  0,   66,  59,  45, 48,  82, 99, 70, 28,  5,
              113, 87, 45, 16,  34,  67, 70, 56, 47,  125, 113, 89, 50,  12, 5,  32, 65,  85,
              57,  69, 88, 87,  47,  20, 47, 91, 118, 3,   29,  74, 102, 79, 51, 71, 107, 129});
  const auto narrowed = resized(pattern(20, 20), 20, 7);
  CHECK(Bytes(narrowed.begin(), narrowed.begin() + 7) == Bytes{38, 54, 152, 188, 185, 57, 51});
  CHECK(Bytes(narrowed.end() - 7, narrowed.end()) == Bytes{208, 185, 118, 50, 55, 195, 214});
}

TEST_CASE("Lanczos keeps a flat image flat and an image of the size asked for as it is",
          "[datasets][image_decode]") {
  const Image flat{1, 31, 17, Bytes(31 * 17, 200)};
  CHECK(resized(flat, 9, 40) == Bytes(9 * 40, 200));
  CHECK(resized(pattern(13, 17), 13, 17) == pattern(13, 17).planes);
}

TEST_CASE("channels are resized each for itself", "[datasets][image_decode]") {
  const auto one = pattern(13, 17);
  Image three{3, 13, 17, Bytes(3 * 13 * 17, 9)};
  std::copy(one.planes.begin(), one.planes.end(), three.planes.begin() + 13 * 17);
  const auto out = resized(three, 5, 6);
  CHECK(Bytes(out.begin() + 30, out.begin() + 60) == resized(one, 5, 6));
  CHECK(Bytes(out.begin(), out.begin() + 30) == Bytes(30, 9));
  CHECK(Bytes(out.begin() + 60, out.end()) == Bytes(30, 9));
}

TEST_CASE("colours come as red, green and blue planes, grey images as one", "[datasets][image_decode]") {
  const auto colour = decode_image(colour_image(2, 3, {250, 120, 10}), 0, "x");
  CHECK(colour.channels == 3);
  CHECK(colour.height == 2);
  CHECK(colour.width == 3);
  CHECK(colour.planes ==
        Bytes{250, 250, 250, 250, 250, 250, 120, 120, 120, 120, 120, 120, 10, 10, 10, 10, 10, 10});
  const auto value = [](int r, int c) { return 10 * r + c; };
  const auto grey = decode_image(grey_image(2, 3, value), 0, "x");
  CHECK(grey.channels == 1);
  CHECK(grey.planes == Bytes{0, 1, 2, 10, 11, 12});
  const auto as_colour = decode_image(grey_image(2, 3, value), 3, "x");
  CHECK(as_colour.channels == 3);
  CHECK(as_colour.planes == Bytes{0, 1, 2, 10, 11, 12, 0, 1, 2, 10, 11, 12, 0, 1, 2, 10, 11, 12});
  CHECK(decode_image(colour_image(2, 3, {90, 90, 90}), 1, "x").planes == Bytes(6, 90));
  CHECK(decode_image(colour_image(16, 16, {200, 200, 200}, ".jpg"), 0, "x").channels == 3);
  CHECK(decode_image(grey_image(16, 16, value, ".jpg"), 0, "x").channels == 1);
}

TEST_CASE("transparency is dropped and 16 bits become 8", "[datasets][image_decode]") {
  Bytes bytes;
  cv::imencode(".png", cv::Mat(2, 2, CV_8UC4, cv::Scalar(10, 120, 250, 0)), bytes);
  CHECK(decode_image(bytes, 0, "x").planes == Bytes{250, 250, 250, 250, 120, 120, 120, 120, 10, 10, 10, 10});
  cv::imencode(".png", cv::Mat(1, 2, CV_16UC1, cv::Scalar(77 * 257)), bytes);
  CHECK(decode_image(bytes, 0, "x").planes == Bytes{77, 77});
}

TEST_CASE("a shortened or foreign image is refused by name", "[datasets][image_decode]") {
  const auto format = GENERATE(as<std::string>{}, ".png", ".jpg");
  CAPTURE(format);
  const auto whole = grey_image(
      64, 64, [](int r, int c) { return (r * c * 7) % 251; }, format);
  REQUIRE(decode_image(whole, 0, "x").height == 64);
  for (const double part : {0.02, 0.3, 0.6, 0.9, 0.99}) {
    CAPTURE(part);
    const auto kept = static_cast<int64_t>(part * static_cast<double>(whole.size()));
    CHECK_THAT(error_of([&] { decode_image(Bytes(whole.begin(), whole.begin() + kept), 0, "dir/cat.x"); }),
               StartsWith("dir/cat.x is "));
  }
  CHECK_THAT(error_of([&] { decode_image(text("GIF89a and more"), 0, "dir/cat.x"); }),
             StartsWith("dir/cat.x is not an image"));
  CHECK_THAT(error_of([&] { decode_image({}, 0, "dir/cat.x"); }), StartsWith("dir/cat.x is not an image"));
}

TEST_CASE("a PNG image with a changed byte is refused", "[datasets][image_decode]") {
  auto bytes = grey_image(64, 64, [](int r, int c) { return (r * c * 7) % 251; });
  bytes[bytes.size() / 2] ^= 0x40;
  CHECK_THAT(error_of([&] { decode_image(bytes, 0, "cat.png"); }), StartsWith("cat.png is damaged"));
}

TEST_CASE("images are known by their extension, in capitals or not", "[datasets][image_decode]") {
  for (const auto name : {"a.png", "b/c.JPG", "x.y.Jpeg", "a.WebP", "a.bmp", "a.tif", "a.TIFF"})
    CHECK(is_image_name(name));
  for (const auto name : {"png", "a/png", "a.gif", "a.png.txt", "a.png/b", ""})
    CHECK_FALSE(is_image_name(name));
}

TEST_CASE("images are turned and mirrored as their Exif data say, if asked", "[datasets][image_decode]") {
  const auto stored = grey_image(
      16, 32, [](int r, int c) { return r < 8 && c < 8 ? 255 : 0; }, ".jpg");
  const std::vector<std::string> upright{"tl wide", "tr wide", "br wide", "bl wide",
                                         "tl high", "tr high", "br high", "bl high"};
  for (int orientation = 1; orientation <= 8; ++orientation) {
    CAPTURE(orientation);
    const auto bytes = with_orientation(stored, orientation);
    CHECK(look(decode_image(bytes, 0, "x", true)) == upright[static_cast<size_t>(orientation) - 1]);
    CHECK(look(decode_image(bytes, 0, "x", false)) == "tl wide");
  }
}

TEST_CASE("WebP, BMP and TIFF are read, and refused when they are cut", "[datasets][image_decode]") {
  const auto format = GENERATE(as<std::string>{}, ".webp", ".bmp", ".tiff");
  CAPTURE(format);
  const auto whole = colour_image(24, 40, {250, 120, 10}, format);
  const auto image = decode_image(whole, 0, "x");
  CHECK(image.channels == 3);
  CHECK(image.height == 24);
  CHECK(image.width == 40);
  CHECK(std::abs(image.planes[0] - 250) < 8);
  CHECK(std::abs(image.planes.back() - 10) < 8);
  for (const double part : {0.02, 0.3, 0.6, 0.9}) {
    CAPTURE(part);
    const auto kept = static_cast<int64_t>(part * static_cast<double>(whole.size()));
    CHECK_THAT(error_of([&] { decode_image(Bytes(whole.begin(), whole.begin() + kept), 0, "dir/cat.x"); }),
               StartsWith("dir/cat.x is "));
  }
}

TEST_CASE("an image is made to fit by its shorter side and cut to the middle", "[datasets][image_decode]") {
  const auto cropped = [](const Image& image, int64_t side) {
    Bytes out(static_cast<size_t>(image.channels * side * side));
    resize_and_crop(image, side, out.data());
    return out;
  };
  const auto middle = [](const Bytes& wide, int64_t width, int64_t skip, int64_t side) {
    Bytes out;
    for (int64_t r = 0; r < side; ++r) {
      for (int64_t c = 0; c < side; ++c) out.push_back(wide[static_cast<size_t>(r * width + skip + c)]);
    }
    return out;
  };
  const auto wide = pattern(13, 26);
  CHECK(cropped(wide, 5) == middle(resized(wide, 5, 10), 10, 2, 5));
  const auto high = pattern(26, 13);
  const auto stretched = resized(high, 10, 5);
  CHECK(cropped(high, 5) == Bytes(stretched.begin() + 10, stretched.begin() + 35));
  CHECK(cropped(pattern(4, 9), 4) == middle(pattern(4, 9).planes, 9, 2, 4));  // nothing but cut
  CHECK(cropped(pattern(4, 9), 8) == middle(resized(pattern(4, 9), 8, 18), 18, 5, 8));
  CHECK(cropped(pattern(7, 7), 7) == pattern(7, 7).planes);
  CHECK(cropped(Image{1, 1, 60000, Bytes(60000, 9)}, 84) ==
        Bytes(84 * 84, 9));  // of which 84 x 5,040,000 is no part
}
