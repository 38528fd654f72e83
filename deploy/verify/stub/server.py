#!/usr/bin/env python3
"""A Terraform provider that knows a schema and no cloud: the genuine terraform validates, plans, tests and applies
against it. Usage: server.py SOCKET_FOLDER ADDRESS=SCHEMA.json...  It prints what TF_REATTACH_PROVIDERS must say, and
serves until its standard input ends."""
import json
import os
import pathlib
import sys
import time
from concurrent import futures

import grpc
from tf.gen import tfplugin_pb2 as pb
from tf.gen import tfplugin_pb2_grpc as rpc

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import answers
import schema as s

LIMIT = 64 << 20


class Stub(rpc.ProviderServicer):
    def __init__(self, schema):
        self.resources, self.data = schema["resource"], schema["data"]
        self.provider = next(iter(schema["provider"].values()))

    def GetMetadata(self, request, context):
        return pb.GetMetadata.Response(
            server_capabilities=pb.ServerCapabilities(),
            resources=[pb.GetMetadata.ResourceMetadata(type_name=name) for name in self.resources],
            data_sources=[pb.GetMetadata.DataSourceMetadata(type_name=name) for name in self.data])

    def GetProviderSchema(self, request, context):
        response = pb.GetProviderSchema.Response(provider=pb.Schema(block=s.block_of(self.provider)))
        for name, fields in self.resources.items():
            response.resource_schemas[name].CopyFrom(pb.Schema(block=s.block_of(fields)))
        for name, fields in self.data.items():
            response.data_source_schemas[name].CopyFrom(pb.Schema(block=s.block_of(fields)))
        return response

    def ValidateProviderConfig(self, request, context):
        return pb.ValidateProviderConfig.Response()

    def ValidateResourceConfig(self, request, context):
        response = pb.ValidateResourceConfig.Response()
        config = s.decode(request.config)
        for path in s.set_but_computed(self.resources[request.type_name], config):
            response.diagnostics.add(severity=1, summary="Only the provider sets this",
                                     detail=f"{request.type_name}.{path}")
        for fault in answers.faults(request.type_name, config):
            response.diagnostics.add(severity=1, summary="Value refused", detail=f"{request.type_name}.{fault}")
        return response

    def ValidateDataResourceConfig(self, request, context):
        return pb.ValidateDataResourceConfig.Response()

    def ConfigureProvider(self, request, context):
        return pb.ConfigureProvider.Response()

    def UpgradeResourceState(self, request, context):
        return pb.UpgradeResourceState.Response(upgraded_state=s.encode(json.loads(request.raw_state.json)))

    def ReadResource(self, request, context):
        return pb.ReadResource.Response(new_state=request.current_state, private=request.private)

    def PlanResourceChange(self, request, context):
        planned = s.decode(request.proposed_new_state)
        if planned is None:
            return pb.PlanResourceChange.Response(planned_state=request.proposed_new_state)
        if s.decode(request.prior_state) is None:
            s.leave_open(self.resources[request.type_name], planned)
        else:
            s.forget(planned)
        return pb.PlanResourceChange.Response(planned_state=s.encode(planned))

    def ApplyResourceChange(self, request, context):
        planned = s.decode(request.planned_state)
        if planned is not None:
            s.settle(self.resources[request.type_name], planned, request.type_name + str(time.time_ns()))
        return pb.ApplyResourceChange.Response(new_state=s.encode(planned))

    def ReadDataSource(self, request, context):
        fields, value = self.data[request.type_name], s.decode(request.config)
        s.leave_open(fields, value)
        value.update(answers.data(request.type_name))
        s.settle(fields, value, request.type_name)
        return pb.ReadDataSource.Response(state=s.encode(value))

    def GetFunctions(self, request, context):
        return pb.GetFunctions.Response()

    def StopProvider(self, request, context):
        return pb.StopProvider.Response()


def main(folder, *served):
    reattach, servers = {}, []
    for one in served:
        address, path = one.split("=", 1)
        server = grpc.server(futures.ThreadPoolExecutor(8), options=[
            ("grpc.max_send_message_length", LIMIT), ("grpc.max_receive_message_length", LIMIT)])
        rpc.add_ProviderServicer_to_server(Stub(json.loads(pathlib.Path(path).read_text())), server)
        socket = os.path.join(folder, address.replace("/", "_") + ".sock")
        server.add_insecure_port("unix:" + socket)
        server.start()
        servers.append(server)
        reattach[address] = {"Protocol": "grpc", "ProtocolVersion": 6, "Pid": os.getpid(), "Test": True,
                             "Addr": {"Network": "unix", "String": socket}}
    print(json.dumps(reattach), flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main(*sys.argv[1:])
