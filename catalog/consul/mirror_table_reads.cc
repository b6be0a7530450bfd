// What a MirrorTable tells of what it knows.
#include <algorithm>

#include "catalog/consul/mirror_table.h"

namespace dnsd {

std::vector<std::string> MirrorTable::service_names() const {
  std::vector<std::string> names;
  for (const auto& [key, refs] : services_) names.push_back(key);
  std::sort(names.begin(), names.end());
  return names;
}

bool MirrorTable::HasService(const std::string& name) const {
  return services_.contains(AsciiLower(name));
}

bool MirrorTable::HasTags(const std::string& name,
                          const std::set<std::string>& tags) const {
  std::set<std::string> known;
  auto it = services_.find(AsciiLower(name));
  if (it != services_.end()) {
    for (const auto& [row, id] : it->second) {
      const ServiceInstance& instance = row->instances.at(id)->instance;
      known.insert(instance.tags.begin(), instance.tags.end());
    }
  }
  return known == tags;
}

std::vector<std::string> MirrorTable::gateways() const {
  std::vector<std::string> names;
  for (const auto& [key, refs] : services_) {
    for (const auto& [row, id] : refs) {
      const ServiceInstance& instance = row->instances.at(id)->instance;
      if (!IsGateway(instance.kind)) continue;
      names.push_back(instance.name);
      break;
    }
  }
  std::sort(names.begin(), names.end());
  return names;
}

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
