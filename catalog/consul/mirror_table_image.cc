// What a MirrorTable hands out as a whole.
#include "catalog/consul/mirror_table.h"

namespace dnsd {

MirrorTable::Image MirrorTable::image() const {
  Image image;
  image.rows.reserve(rows_.size());
  for (const auto& [name, row] : rows_) {
    Image::Row& copy = image.rows.emplace_back(
        Image::Row{row->node, row->modify_index, {}, {}});
    for (const auto& [id, report] : row->instances) {
      copy.instances.push_back(report);
    }
    for (const auto& [id, report] : row->checks) copy.checks.push_back(report);
  }
  for (const auto& [id, query] : queries_) image.queries.push_back(query);
  image.gateways = gateways_;
  return image;
}

MirrorImage ToMirrorImage(const MirrorTable::Image& image) {
  MirrorImage file;
  file.queries = image.queries;
  file.gateways = image.gateways;
  for (const MirrorTable::Image::Row& row : image.rows) {
    NodeReport& report = file.nodes.emplace_back();
    report.node = *row.node;
    report.modify_index = row.modify_index;
    for (const auto& instance : row.instances) {
      report.instances.push_back(*instance);
    }
    for (const auto& check : row.checks) report.checks.push_back(*check);
  }
  return file;
}

}  // namespace dnsd
