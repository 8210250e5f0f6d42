// Pieces of a page that needs nothing but itself.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace innerloop {

// The text with what HTML reads otherwise (& < > " ') as entities.
std::string html_text(const std::string& text);

std::string base64(std::string_view bytes);  // RFC 4648, with padding

// "data:image/png;base64,...": the content of a file. Error if it cannot be read.
std::string data_uri(const std::string& media_type, const std::filesystem::path& file);

// A table that scrolls by itself where it is wider than the page. Cells are text; those that begin like a
// number stand to the right. The first cell of a row is its head.
std::string html_table(const std::vector<std::string>& head,
                       const std::vector<std::vector<std::string>>& rows);

// The whole page. `body` is HTML.
std::string html_page(const std::string& title, const std::string& body);

}  // namespace innerloop
