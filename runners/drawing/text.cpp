#include "runners/drawing/text.h"

#include <ft2build.h>
#include FT_FREETYPE_H

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <vector>

#include "base/error.h"

namespace innerloop {
namespace {

std::string find_font(const std::string& file) {
  namespace fs = std::filesystem;
  // Debian's place first; other systems sort the same file under other folders.
  const fs::path debian = fs::path("/usr/share/fonts/truetype/dejavu") / file;
  if (fs::exists(debian)) return debian;
  for (const char* root : {"/usr/share/fonts", "/usr/local/share/fonts"}) {
    std::error_code error;
    for (auto at =
             fs::recursive_directory_iterator(root, fs::directory_options::skip_permission_denied, error);
         !error && at != fs::recursive_directory_iterator(); at.increment(error)) {
      if (at->path().filename() == file) return at->path();
    }
  }
  throw Error(concat("cannot draw captions: the font ", file,
                     " is not below /usr/share/fonts or /usr/local/share/fonts; install DejaVu Sans (Debian: "
                     "fonts-dejavu-core)"));
}

// Code points of valid UTF-8; a byte that starts no character stands for itself.
std::vector<FT_ULong> code_points(const std::string& text) {
  std::vector<FT_ULong> points;
  for (size_t i = 0; i < text.size();) {
    const auto lead = static_cast<unsigned char>(text[i++]);
    const int more = lead >= 0xF0 ? 3 : lead >= 0xE0 ? 2 : lead >= 0xC0 ? 1 : 0;
    FT_ULong point = more == 0 ? lead : lead & (0x3Fu >> more);
    for (int k = 0; k < more && i < text.size(); ++k) {
      point = (point << 6) | (static_cast<unsigned char>(text[i++]) & 0x3Fu);
    }
    points.push_back(point);
  }
  return points;
}

}  // namespace

struct Font::Face {
  FT_Library library = nullptr;
  FT_Face face = nullptr;

  ~Face() {
    if (face != nullptr) FT_Done_Face(face);
    if (library != nullptr) FT_Done_FreeType(library);
  }

  // Calls glyph(slot, x) for each character, x the pen position in pixels; returns the width.
  template <class Glyph>
  double set(const std::string& text, double pixels, Glyph&& glyph) {
    FT_Set_Char_Size(face, 0, std::lround(pixels * 64), 72, 72);
    double x = 0;
    for (const FT_ULong point : code_points(text)) {
      if (FT_Load_Char(face, point, FT_LOAD_RENDER | FT_LOAD_TARGET_LIGHT) != 0) continue;
      glyph(*face->glyph, x);
      x += static_cast<double>(face->glyph->linearHoriAdvance) / 65536;
    }
    return x;
  }
};

Font::Font(Weight weight) : face_(std::make_unique<Face>()) {
  const std::string file = find_font(weight == Weight::kBold ? "DejaVuSans-Bold.ttf" : "DejaVuSans.ttf");
  require(FT_Init_FreeType(&face_->library) == 0, "cannot draw captions: FreeType does not start");
  const FT_Error error = FT_New_Face(face_->library, file.c_str(), 0, &face_->face);
  require(error == 0, "cannot draw captions: FreeType cannot read ", file, " (error ", error, ")");
}

Font::~Font() = default;

double Font::width(const std::string& text, double pixels) const {
  return face_->set(text, pixels, [](const FT_GlyphSlotRec_&, double) {});
}

void Font::draw(cv::Mat& image, const std::string& text, cv::Point2d origin, double pixels,
                const cv::Scalar& colour) const {
  face_->set(text, pixels, [&](const FT_GlyphSlotRec_& glyph, double pen) {
    const FT_Bitmap& bitmap = glyph.bitmap;
    const int left = static_cast<int>(std::lround(origin.x + pen)) + glyph.bitmap_left;
    const int top = static_cast<int>(std::lround(origin.y)) - glyph.bitmap_top;
    for (int row = 0; row < static_cast<int>(bitmap.rows); ++row) {
      for (int column = 0; column < static_cast<int>(bitmap.width); ++column) {
        const int x = left + column, y = top + row;
        if (x < 0 || y < 0 || x >= image.cols || y >= image.rows) continue;
        const double cover = bitmap.buffer[row * bitmap.pitch + column] / 255.0;
        auto& pixel = image.at<cv::Vec3b>(y, x);
        for (int c = 0; c < 3; ++c) {
          pixel[c] = cv::saturate_cast<uchar>(pixel[c] + cover * (colour[c] - pixel[c]));
        }
      }
    }
  });
}

void draw_text(cv::Mat& image, const Font& font, const std::string& text, cv::Point2d anchor, Align align,
               double pixels, const cv::Scalar& colour) {
  const double share = align == Align::kLeft ? 0 : align == Align::kCentre ? 0.5 : 1;
  anchor.x -= share * font.width(text, pixels);
  font.draw(image, text, anchor, pixels, colour);
}

}  // namespace innerloop
