import { join } from 'node:path'

/** containerd 1.6 and 1.7. */
export const containerdToml = (folder: string, cniPlugins: string, runc: string): string => `version = 2
root = "${folder}/containerd-root"
state = "${folder}/containerd-state"
[grpc]
  address = "${folder}/containerd.sock"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "localhost/pause:1"
  # Without CAP_SYS_RESOURCE no process may be made less likely to be killed.
  restrict_oom_score_adj = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "${cniPlugins}"
    conf_dir = "${join(folder, 'cni')}"
  [plugins."io.containerd.grpc.v1.cri".containerd]
    default_runtime_name = "runc"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
      [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
        SystemdCgroup = false
        BinaryName = "${runc}"
`

export const bridge = (folder: string): object => ({
  cniVersion: '1.0.0',
  name: 'ballast',
  plugins: [
    {
      type: 'bridge',
      bridge: 'ballast0',
      isGateway: true,
      ipMasq: true,
      hairpinMode: true,
      ipam: {
        type: 'host-local',
        dataDir: join(folder, 'cni-addresses'),
        ranges: [[{ subnet: '10.244.0.0/24' }]],
        routes: [{ dst: '0.0.0.0/0' }],
      },
    },
    { type: 'portmap', capabilities: { portMappings: true } },
  ],
})

export const kubelet = (folder: string): object => ({
  apiVersion: 'kubelet.config.k8s.io/v1beta1',
  kind: 'KubeletConfiguration',
  address: '0.0.0.0',
  port: 22250,
  readOnlyPort: 0,
  healthzPort: 22248,
  authentication: { anonymous: { enabled: true }, webhook: { enabled: false } },
  authorization: { mode: 'AlwaysAllow' },
  cgroupDriver: 'cgroupfs',
  failCgroupV1: false,
  cgroupRoot: '/',
  cgroupsPerQOS: true,
  enforceNodeAllocatable: [],
  containerRuntimeEndpoint: `unix://${folder}/containerd.sock`,
  clusterDomain: 'cluster.local',
  clusterDNS: [],
  failSwapOn: false,
  maxOpenFiles: 20_000,
  oomScoreAdj: 0,
  makeIPTablesUtilChains: false,
  localStorageCapacityIsolation: false,
  evictionHard: { 'memory.available': '200Mi', 'nodefs.available': '1%', 'imagefs.available': '1%' },
  imageGCHighThresholdPercent: 99,
  imageGCLowThresholdPercent: 98,
  protectKernelDefaults: false,
  registerNode: true,
  podLogsDir: `${folder}/podlogs`,
  fileCheckFrequency: '2s',
  syncFrequency: '10s',
  nodeStatusUpdateFrequency: '5s',
})
