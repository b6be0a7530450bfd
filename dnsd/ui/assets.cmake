# The web UI as one C++ source, ${ui_assets}: our files of this folder, and
# those of the libraries that package-lock.json names, which `./dev setup` fetches.
set(DNSD_UI_MODULES ${CMAKE_SOURCE_DIR}/build/ui/node_modules CACHE PATH
  "What `npm ci` made of dnsd/ui/package-lock.json")
foreach(library preact htm uplot)
  if(NOT EXISTS ${DNSD_UI_MODULES}/${library}/package.json)
    message(FATAL_ERROR
      "The web UI's library ${library} is not in ${DNSD_UI_MODULES}. "
      "`./dev setup build` fetches it by npm; for another place, say "
      "-DDNSD_UI_MODULES=PATH.")
  endif()
endforeach()

set(ui_folder ${CMAKE_CURRENT_LIST_DIR})
file(GLOB ui_files CONFIGURE_DEPENDS ${ui_folder}/*.html ${ui_folder}/*.css
  ${ui_folder}/*.js ${ui_folder}/*.svg)
set(ui_made ${CMAKE_BINARY_DIR}/ui)
set(ui_assets ${ui_made}/ui_assets.cc)
# copyright: that of the Debian package, with the libraries'.
add_custom_command(
  OUTPUT ${ui_assets} ${ui_made}/copyright ${ui_made}/licenses.txt
  COMMAND ${CMAKE_COMMAND} -D UI_FOLDER=${ui_folder} -D UI_MADE=${ui_made}
    -D UI_MODULES=${DNSD_UI_MODULES}
    -D COPYRIGHT=${CMAKE_SOURCE_DIR}/docker/debian/copyright
    -P ${ui_folder}/embed.cmake
  DEPENDS ${ui_files} ${ui_folder}/embed.cmake ${ui_folder}/package-lock.json
    ${DNSD_UI_MODULES}/.package-lock.json
    ${CMAKE_SOURCE_DIR}/docker/debian/copyright
  COMMENT "Embedding the web UI"
  VERBATIM)
