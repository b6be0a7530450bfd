// A gRPC server with nothing but grpc.health.v1, for checks to ask: the real
// thing, from the gRPC library. A program of its own, because that library is
// not built for the sanitizers.
//
//   grpc_health_server [CERTIFICATE KEY]
//
// Services: "up" is serving, "down" is not. Prints "port: N", and ends when
// its standard input does or it is killed.
#include <grpcpp/grpcpp.h>
#include <grpcpp/health_check_service_interface.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>

namespace {

std::string Contents(const char* path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

int main(int argc, char** argv) {
  grpc::EnableDefaultHealthCheckService(true);
  std::shared_ptr<grpc::ServerCredentials> credentials =
      grpc::InsecureServerCredentials();
  if (argc == 3) {
    grpc::SslServerCredentialsOptions options;
    options.pem_key_cert_pairs.push_back(
        {Contents(argv[2]), Contents(argv[1])});
    credentials = grpc::SslServerCredentials(options);
  }
  grpc::ServerBuilder builder;
  int port = 0;
  builder.AddListeningPort("127.0.0.1:0", credentials, &port);
  // The library insists on a queue, though nothing will ever be in it.
  const auto queue = builder.AddCompletionQueue();
  const std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  if (server == nullptr || server->GetHealthCheckService() == nullptr) return 1;
  server->GetHealthCheckService()->SetServingStatus("up", true);
  server->GetHealthCheckService()->SetServingStatus("down", false);
  std::printf("port: %d\n", port);
  std::fflush(stdout);
  pause();
}
