#include "runners/reports/html.h"

#include <cctype>

#include "base/error.h"
#include "base/files.h"

namespace innerloop {
namespace {

constexpr size_t kLargestEmbedded = size_t{1} << 30;

constexpr char kStyle[] = R"(
:root { color-scheme: light; }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 1080px; padding: 20px 16px 48px; background: #fff; color: #1f2937;
  font: 16px/1.5 "DejaVu Sans", system-ui, sans-serif; overflow-wrap: break-word; }
h1 { font-size: 1.6rem; line-height: 1.25; margin: 0 0 4px; }
h2 { font-size: 1.25rem; line-height: 1.3; margin: 40px 0 8px; border-bottom: 2px solid #e5e7eb;
  padding-bottom: 6px; }
h3 { font-size: 1rem; margin: 24px 0 6px; }
p { margin: 6px 0; }
.note { color: #6b7280; font-size: .875rem; }
nav a { display: inline-block; margin: 2px 14px 2px 0; color: #0072b2; }
.scroll { overflow-x: auto; margin: 8px 0; }
table { border-collapse: collapse; font-size: .875rem; font-variant-numeric: tabular-nums; }
th, td { padding: 6px 12px 6px 0; border-bottom: 1px solid #e5e7eb; text-align: left; vertical-align: top; }
thead th { color: #6b7280; font-weight: 600; vertical-align: bottom; }
tbody th { font-weight: 600; min-width: 7.5em; }
td.number { text-align: right; white-space: nowrap; }
thead th.number { text-align: right; }
figure { margin: 16px 0; }
figure img { display: block; width: 100%; max-width: 1000px; height: auto; }
figcaption { color: #6b7280; font-size: .875rem; }
video, img.still { display: block; max-width: 100%; height: auto; margin: 6px 0; background: #f3f4f6; }
pre { background: #f3f4f6; padding: 10px 12px; margin: 6px 0; font: 13px/1.5 "DejaVu Sans Mono", monospace;
  white-space: pre-wrap; overflow-wrap: anywhere; }
@media (max-width: 640px) { figure .scroll img { width: 680px; max-width: none; } h1 { font-size: 1.35rem; } }
)";

bool looks_like_number(const std::string& cell) {
  const size_t at = cell.find_first_not_of("+-[");
  return cell.empty() || cell == "-" || cell == "baseline" ||
         (at != std::string::npos && std::isdigit(static_cast<unsigned char>(cell[at])) != 0);
}

}  // namespace

std::string html_text(const std::string& text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

std::string base64(std::string_view bytes) {
  constexpr char kDigits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  for (size_t i = 0; i < bytes.size(); i += 3) {
    unsigned group = 0;
    for (size_t k = 0; k < 3; ++k)
      group = group << 8 | (i + k < bytes.size() ? static_cast<unsigned char>(bytes[i + k]) : 0u);
    for (size_t k = 0; k < 4; ++k) out += i + k <= bytes.size() ? kDigits[group >> (18 - 6 * k) & 63] : '=';
  }
  return out;
}

std::string data_uri(const std::string& media_type, const std::filesystem::path& file) {
  return concat("data:", media_type, ";base64,", base64(read_file(file, kLargestEmbedded)));
}

std::string html_table(const std::vector<std::string>& head,
                       const std::vector<std::vector<std::string>>& rows) {
  std::vector<bool> number(head.size(), !rows.empty());
  for (const auto& row : rows) {
    for (size_t i = 0; i < row.size(); ++i) number[i] = number[i] && looks_like_number(row[i]);
  }
  const auto cell = [&](const char* element, size_t i, const std::string& text) {
    return concat("<", element, i > 0 && number[i] ? " class=\"number\">" : ">", html_text(text), "</",
                  element, ">");
  };
  std::string out = "<div class=\"scroll\"><table><thead><tr>";
  for (size_t i = 0; i < head.size(); ++i) out += cell("th", i, head[i]);
  out += "</tr></thead><tbody>\n";
  for (const auto& row : rows) {
    out += "<tr>";
    for (size_t i = 0; i < row.size(); ++i) out += cell(i == 0 ? "th" : "td", i, row[i]);
    out += "</tr>\n";
  }
  return out + "</tbody></table></div>\n";
}

std::string html_page(const std::string& title, const std::string& body) {
  return concat("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n",
                "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n",
                "<link rel=\"icon\" href=\"data:,\">\n<title>", html_text(title), "</title>\n<style>", kStyle,
                "</style>\n</head>\n<body>\n", body, "</body>\n</html>\n");
}

}  // namespace innerloop
