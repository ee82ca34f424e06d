package bytestream

import (
	"context"

	"google.golang.org/grpc"
)

// The full names of the methods.
const (
	service     = "google.bytestream.ByteStream"
	ReadMethod  = "/" + service + "/Read"
	WriteMethod = "/" + service + "/Write"
)

// Read starts reading a resource.
func Read(ctx context.Context, conn grpc.ClientConnInterface, req *ReadRequest, opts ...grpc.CallOption) (grpc.ServerStreamingClient[ReadResponse], error) {
	s, err := conn.NewStream(ctx, &grpc.StreamDesc{StreamName: "Read", ServerStreams: true}, ReadMethod, opts...)
	if err != nil {
		return nil, err
	}
	if err := s.SendMsg(req); err != nil {
		return nil, err
	}
	return &grpc.GenericClientStream[ReadRequest, ReadResponse]{ClientStream: s}, s.CloseSend()
}

// Write starts writing a resource.
func Write(ctx context.Context, conn grpc.ClientConnInterface, opts ...grpc.CallOption) (grpc.ClientStreamingClient[WriteRequest, WriteResponse], error) {
	s, err := conn.NewStream(ctx, &grpc.StreamDesc{StreamName: "Write", ClientStreams: true}, WriteMethod, opts...)
	if err != nil {
		return nil, err
	}
	return &grpc.GenericClientStream[WriteRequest, WriteResponse]{ClientStream: s}, nil
}

// A Server answers Read and Write. Errors should be of package status.
type Server interface {
	Read(*ReadRequest, grpc.ServerStreamingServer[ReadResponse]) error
	Write(grpc.ClientStreamingServer[WriteRequest, WriteResponse]) error
}

// Register adds s to r, which must use Codec.
func Register(r grpc.ServiceRegistrar, s Server) {
	r.RegisterService(&grpc.ServiceDesc{
		ServiceName: service,
		HandlerType: (*Server)(nil),
		Streams: []grpc.StreamDesc{
			{StreamName: "Read", ServerStreams: true, Handler: read},
			{StreamName: "Write", ClientStreams: true, Handler: write},
		},
	}, s)
}

func read(srv any, stream grpc.ServerStream) error {
	req := new(ReadRequest)
	if err := stream.RecvMsg(req); err != nil {
		return err
	}
	return srv.(Server).Read(req, &grpc.GenericServerStream[ReadRequest, ReadResponse]{ServerStream: stream})
}

func write(srv any, stream grpc.ServerStream) error {
	return srv.(Server).Write(&grpc.GenericServerStream[WriteRequest, WriteResponse]{ServerStream: stream})
}
