"""The shapes of request bodies: which properties each type has, of which type, and which must be there.

Place: read by `validate.py`. A table and nothing else: `Type: property! type, ...`, where `!` is required, `[x]` a list
and `a/b` an enumeration. The names are those of the `azure-batch` 15.1 models (wire names of api-version 2025-06-01); a
test compares them.
"""

from typing import Final

_TYPES: Final = """
BatchPoolCreateOptions: id! string, displayName string, vmSize! string, virtualMachineConfiguration
    VirtualMachineConfiguration, resizeTimeout duration, targetDedicatedNodes int, targetLowPriorityNodes
    int, enableAutoScale bool, autoScaleFormula string, autoScaleEvaluationInterval duration,
    enableInterNodeCommunication bool, networkConfiguration NetworkConfiguration, startTask BatchStartTask,
    applicationPackageReferences [BatchApplicationPackageReference], taskSlotsPerNode int,
    taskSchedulingPolicy BatchTaskSchedulingPolicy, userAccounts [UserAccount], metadata
    [BatchMetadataItem], mountConfiguration [MountConfiguration], upgradePolicy UpgradePolicy
VirtualMachineConfiguration: imageReference! BatchVmImageReference, nodeAgentSKUId! string,
    windowsConfiguration WindowsConfiguration, dataDisks [DataDisk], licenseType string,
    containerConfiguration BatchContainerConfiguration, diskEncryptionConfiguration
    DiskEncryptionConfiguration, nodePlacementConfiguration BatchNodePlacementConfiguration, extensions
    [VMExtension], osDisk BatchOsDisk, securityProfile SecurityProfile, serviceArtifactReference
    ServiceArtifactReference
BatchVmImageReference: publisher string, offer string, sku string, version string, virtualMachineImageId
    string, exactVersion string, sharedGalleryImageId string, communityGalleryImageId string
WindowsConfiguration: enableAutomaticUpdates bool
DataDisk: lun! int, caching none/readonly/readwrite, diskSizeGB! int, managedDisk ManagedDisk
ManagedDisk: diskEncryptionSet DiskEncryptionSetParameters, storageAccountType
    standard_lrs/premium_lrs/standardssd_lrs, securityProfile BatchVmDiskSecurityProfile
DiskEncryptionSetParameters: id string
BatchVmDiskSecurityProfile: securityEncryptionType DiskWithVMGuestState/NonPersistedTPM/VMGuestStateOnly
BatchContainerConfiguration: type! dockerCompatible/criCompatible, containerImageNames [string],
    containerRegistries [ContainerRegistryReference]
ContainerRegistryReference: username string, password string, registryServer string, identityReference
    BatchNodeIdentityReference
BatchNodeIdentityReference: resourceId string
DiskEncryptionConfiguration: customerManagedKey DiskCustomerManagedKey, targets [osdisk/temporarydisk]
DiskCustomerManagedKey: identityReference BatchPoolIdentityReference, keyUrl string,
    rotationToLatestKeyVersionEnabled bool
BatchPoolIdentityReference: resourceId string
BatchNodePlacementConfiguration: policy regional/zonal
VMExtension: name! string, publisher! string, type! string, typeHandlerVersion string,
    autoUpgradeMinorVersion bool, enableAutomaticUpgrade bool, settings object, protectedSettings object,
    provisionAfterExtensions [string]
BatchOsDisk: ephemeralOSDiskSettings BatchDiffDiskSettings, caching none/readonly/readwrite, diskSizeGB int,
    managedDisk ManagedDisk, writeAcceleratorEnabled bool
BatchDiffDiskSettings: placement cachedisk
SecurityProfile: encryptionAtHost bool, proxyAgentSettings ProxyAgentSettings, securityType
    trustedLaunch/confidentialvm, uefiSettings BatchUefiSettings
ProxyAgentSettings: enabled bool, imds HostEndpointSettings, wireServer HostEndpointSettings
HostEndpointSettings: inVMAccessControlProfileReferenceId string, mode Audit/Enforce
BatchUefiSettings: secureBootEnabled bool, vTpmEnabled bool
ServiceArtifactReference: id! string
NetworkConfiguration: subnetId string, dynamicVNetAssignmentScope none/job, endpointConfiguration
    BatchPoolEndpointConfiguration, publicIPAddressConfiguration BatchPublicIpAddressConfiguration,
    enableAcceleratedNetworking bool
BatchPoolEndpointConfiguration: inboundNATPools! [BatchInboundNatPool]
BatchInboundNatPool: name! string, protocol! tcp/udp, backendPort! int, frontendPortRangeStart! int,
    frontendPortRangeEnd! int, networkSecurityGroupRules [NetworkSecurityGroupRule]
NetworkSecurityGroupRule: priority! int, access! allow/deny, sourceAddressPrefix! string, sourcePortRanges
    [string]
BatchPublicIpAddressConfiguration: provision batchmanaged/usermanaged/nopublicipaddresses, ipFamilies
    [IPv4/IPv6], ipAddressIds [string], ipTags [IPTag]
IPTag: ipTagType string, tag string
BatchStartTask: commandLine! string, containerSettings BatchTaskContainerSettings, resourceFiles
    [ResourceFile], environmentSettings [EnvironmentSetting], userIdentity UserIdentity, maxTaskRetryCount
    int, waitForSuccess bool
BatchTaskContainerSettings: containerRunOptions string, imageName! string, registry
    ContainerRegistryReference, workingDirectory taskWorkingDirectory/containerImageDefault,
    containerHostBatchBindMounts [ContainerHostBatchBindMountEntry]
ContainerHostBatchBindMountEntry: source Shared/Startup/VfsMounts/Task/JobPrep/Applications, isReadOnly bool
ResourceFile: autoStorageContainerName string, storageContainerUrl string, httpUrl string, blobPrefix
    string, filePath string, fileMode string, identityReference BatchNodeIdentityReference
EnvironmentSetting: name! string, value string
UserIdentity: username string, autoUser AutoUserSpecification
AutoUserSpecification: scope task/pool, elevationLevel nonadmin/admin
BatchApplicationPackageReference: applicationId! string, version string
BatchTaskSchedulingPolicy: jobDefaultOrder none/creationtime, nodeFillType! spread/pack
UserAccount: name! string, password! string, elevationLevel nonadmin/admin, linuxUserConfiguration
    LinuxUserConfiguration, windowsUserConfiguration WindowsUserConfiguration
LinuxUserConfiguration: uid int, gid int, sshPrivateKey string
WindowsUserConfiguration: loginMode batch/interactive
BatchMetadataItem: name! string, value! string
MountConfiguration: azureBlobFileSystemConfiguration AzureBlobFileSystemConfiguration, nfsMountConfiguration
    NfsMountConfiguration, cifsMountConfiguration CifsMountConfiguration, azureFileShareConfiguration
    AzureFileShareConfiguration
AzureBlobFileSystemConfiguration: accountName! string, containerName! string, accountKey string, sasKey
    string, blobfuseOptions string, relativeMountPath! string, identityReference BatchNodeIdentityReference
NfsMountConfiguration: source! string, relativeMountPath! string, mountOptions string
CifsMountConfiguration: username! string, source! string, relativeMountPath! string, mountOptions string,
    password! string
AzureFileShareConfiguration: accountName! string, accountKey! string, azureFileUrl! string,
    relativeMountPath! string, mountOptions string
UpgradePolicy: mode! automatic/manual/rolling, automaticOSUpgradePolicy AutomaticOsUpgradePolicy,
    rollingUpgradePolicy RollingUpgradePolicy
AutomaticOsUpgradePolicy: disableAutomaticRollback bool, enableAutomaticOSUpgrade bool,
    useRollingUpgradePolicy bool, osRollingUpgradeDeferral bool
RollingUpgradePolicy: enableCrossZoneUpgrade bool, maxBatchInstancePercent int, maxUnhealthyInstancePercent
    int, maxUnhealthyUpgradedInstancePercent int, pauseTimeBetweenBatches duration,
    prioritizeUnhealthyInstances bool, rollbackFailedInstancesOnPolicyBreach bool
BatchPoolUpdateOptions: displayName string, vmSize string, enableInterNodeCommunication bool, startTask
    BatchStartTask, applicationPackageReferences [BatchApplicationPackageReference], metadata
    [BatchMetadataItem], virtualMachineConfiguration VirtualMachineConfiguration, taskSlotsPerNode int,
    taskSchedulingPolicy BatchTaskSchedulingPolicy, networkConfiguration NetworkConfiguration, userAccounts
    [UserAccount], mountConfiguration [MountConfiguration], upgradePolicy UpgradePolicy
BatchPoolReplaceOptions: startTask BatchStartTask, applicationPackageReferences!
    [BatchApplicationPackageReference], metadata! [BatchMetadataItem]
BatchPoolResizeOptions: targetDedicatedNodes int, targetLowPriorityNodes int, resizeTimeout duration,
    nodeDeallocationOption requeue/terminate/taskcompletion/retaineddata
BatchNodeRemoveOptions: nodeList! [string], resizeTimeout duration, nodeDeallocationOption
    requeue/terminate/taskcompletion/retaineddata
BatchNodeRebootOptions: nodeRebootOption requeue/terminate/taskcompletion/retaineddata
BatchNodeReimageOptions: nodeReimageOption requeue/terminate/taskcompletion/retaineddata
BatchNodeDisableSchedulingOptions: nodeDisableSchedulingOption requeue/terminate/taskcompletion
BatchNodeDeallocateOptions: nodeDeallocateOption requeue/terminate/taskcompletion/retaineddata
BatchJobCreateOptions: id! string, displayName string, usesTaskDependencies bool, priority int,
    allowTaskPreemption bool, maxParallelTasks int, constraints BatchJobConstraints, jobManagerTask
    BatchJobManagerTask, jobPreparationTask BatchJobPreparationTask, jobReleaseTask BatchJobReleaseTask,
    commonEnvironmentSettings [EnvironmentSetting], poolInfo! BatchPoolInfo, onAllTasksComplete
    noaction/terminatejob, onTaskFailure noaction/performexitoptionsjobaction, networkConfiguration
    BatchJobNetworkConfiguration, metadata [BatchMetadataItem]
BatchJobConstraints: maxWallClockTime duration, maxTaskRetryCount int
BatchJobManagerTask: id! string, displayName string, commandLine! string, containerSettings
    BatchTaskContainerSettings, resourceFiles [ResourceFile], outputFiles [OutputFile], environmentSettings
    [EnvironmentSetting], constraints BatchTaskConstraints, requiredSlots int, killJobOnCompletion bool,
    userIdentity UserIdentity, runExclusive bool, applicationPackageReferences
    [BatchApplicationPackageReference], allowLowPriorityNode bool
OutputFile: filePattern! string, destination! OutputFileDestination, uploadOptions!
    OutputFileUploadConfiguration
OutputFileDestination: container OutputFileBlobContainerDestination
OutputFileBlobContainerDestination: path string, containerUrl! string, identityReference
    BatchNodeIdentityReference, uploadHeaders [OutputFileUploadHeader]
OutputFileUploadHeader: name! string, value string
OutputFileUploadConfiguration: uploadCondition! tasksuccess/taskfailure/taskcompletion
BatchTaskConstraints: maxWallClockTime duration, retentionTime duration, maxTaskRetryCount int
BatchJobPreparationTask: id string, commandLine! string, containerSettings BatchTaskContainerSettings,
    resourceFiles [ResourceFile], environmentSettings [EnvironmentSetting], constraints
    BatchTaskConstraints, waitForSuccess bool, userIdentity UserIdentity, rerunOnNodeRebootAfterSuccess bool
BatchJobReleaseTask: id string, commandLine! string, containerSettings BatchTaskContainerSettings,
    resourceFiles [ResourceFile], environmentSettings [EnvironmentSetting], maxWallClockTime duration,
    retentionTime duration, userIdentity UserIdentity
BatchPoolInfo: poolId string, autoPoolSpecification BatchAutoPoolSpecification
BatchAutoPoolSpecification: autoPoolIdPrefix string, poolLifetimeOption! jobschedule/job, keepAlive bool,
    pool BatchPoolSpecification
BatchPoolSpecification: displayName string, vmSize! string, virtualMachineConfiguration
    VirtualMachineConfiguration, taskSlotsPerNode int, taskSchedulingPolicy BatchTaskSchedulingPolicy,
    resizeTimeout duration, targetDedicatedNodes int, targetLowPriorityNodes int, enableAutoScale bool,
    autoScaleFormula string, autoScaleEvaluationInterval duration, enableInterNodeCommunication bool,
    networkConfiguration NetworkConfiguration, startTask BatchStartTask, applicationPackageReferences
    [BatchApplicationPackageReference], userAccounts [UserAccount], metadata [BatchMetadataItem],
    mountConfiguration [MountConfiguration], upgradePolicy UpgradePolicy
BatchJobNetworkConfiguration: subnetId! string, skipWithdrawFromVNet bool
BatchJobUpdateOptions: priority int, allowTaskPreemption bool, maxParallelTasks int, constraints
    BatchJobConstraints, poolInfo BatchPoolInfo, onAllTasksComplete noaction/terminatejob, metadata
    [BatchMetadataItem], networkConfiguration BatchJobNetworkConfiguration
BatchJobDisableOptions: disableTasks! requeue/terminate/wait
BatchJobTerminateOptions: terminateReason string
BatchTaskCreateOptions: id! string, displayName string, exitConditions ExitConditions, commandLine! string,
    containerSettings BatchTaskContainerSettings, resourceFiles [ResourceFile], outputFiles [OutputFile],
    environmentSettings [EnvironmentSetting], affinityInfo BatchAffinityInfo, constraints
    BatchTaskConstraints, requiredSlots int, userIdentity UserIdentity, multiInstanceSettings
    MultiInstanceSettings, dependsOn BatchTaskDependencies, applicationPackageReferences
    [BatchApplicationPackageReference]
ExitConditions: exitCodes [ExitCodeMapping], exitCodeRanges [ExitCodeRangeMapping], preProcessingError
    ExitOptions, fileUploadError ExitOptions, default ExitOptions
ExitCodeMapping: code! int, exitOptions! ExitOptions
ExitOptions: jobAction none/disable/terminate, dependencyAction satisfy/block
ExitCodeRangeMapping: start! int, end! int, exitOptions! ExitOptions
BatchAffinityInfo: affinityId! string
MultiInstanceSettings: numberOfInstances int, coordinationCommandLine! string, commonResourceFiles
    [ResourceFile]
BatchTaskDependencies: taskIds [string], taskIdRanges [BatchTaskIdRange]
BatchTaskIdRange: start! int, end! int
BatchTaskGroup: value! [BatchTaskCreateOptions]
BatchPoolEnableAutoScaleOptions: autoScaleFormula string, autoScaleEvaluationInterval duration
BatchPoolEvaluateAutoScaleOptions: autoScaleFormula! string
BatchJobScheduleCreateOptions: id! string, displayName string, schedule! BatchJobScheduleConfiguration,
    jobSpecification! BatchJobSpecification, metadata [BatchMetadataItem]
BatchJobScheduleConfiguration: doNotRunUntil datetime, doNotRunAfter datetime, startWindow duration,
    recurrenceInterval duration
BatchJobSpecification: priority int, allowTaskPreemption bool, maxParallelTasks int, displayName string,
    usesTaskDependencies bool, onAllTasksComplete noaction/terminatejob, onTaskFailure
    noaction/performexitoptionsjobaction, networkConfiguration BatchJobNetworkConfiguration, constraints
    BatchJobConstraints, jobManagerTask BatchJobManagerTask, jobPreparationTask BatchJobPreparationTask,
    jobReleaseTask BatchJobReleaseTask, commonEnvironmentSettings [EnvironmentSetting], poolInfo!
    BatchPoolInfo, metadata [BatchMetadataItem]
BatchJobScheduleUpdateOptions: schedule BatchJobScheduleConfiguration, jobSpecification
    BatchJobSpecification, metadata [BatchMetadataItem]
BatchNodeUserCreateOptions: name! string, isAdmin bool, expiryTime datetime, password string, sshPublicKey
    string
BatchNodeUserReplaceOptions: password string, expiryTime datetime, sshPublicKey string
UploadBatchServiceLogsOptions: containerUrl! string, startTime! datetime, endTime datetime,
    identityReference BatchNodeIdentityReference
TaskUpdate: constraints BatchTaskConstraints
Certificate: thumbprint! string, thumbprintAlgorithm! string, data! string, certificateFormat pfx/cer, password string
CertificateReference: thumbprint! string, thumbprintAlgorithm! string, storeLocation currentuser/localmachine,
    storeName string, visibility [starttask/task/remoteuser]
CloudServiceConfiguration: osFamily! string, osVersion string
EngineFault: kind! answer/drop/delay/upload/download/nodestart, operation string, method string, path string,
    status int, code string, retryAfter number, when before/after, delay number, next int, every int, pool string
EnginePreemption: pool! string, node string, count int, absent number
EngineQuotas: pools int, activeJobs int, dedicatedCores int, lowPriorityCores int
"""

_OLDER: Final = """
BatchPoolCreateOptions: certificateReferences [CertificateReference], resourceTags object,
    targetNodeCommunicationMode string, cloudServiceConfiguration CloudServiceConfiguration,
    applicationLicenses [string]
BatchPoolSpecification: certificateReferences [CertificateReference], resourceTags object,
    targetNodeCommunicationMode string, cloudServiceConfiguration CloudServiceConfiguration,
    applicationLicenses [string]
BatchPoolUpdateOptions: certificateReferences [CertificateReference], resourceTags object,
    targetNodeCommunicationMode string
BatchPoolReplaceOptions: certificateReferences [CertificateReference], targetNodeCommunicationMode string
BatchTaskCreateOptions: authenticationTokenSettings object
BatchJobManagerTask: authenticationTokenSettings object
BatchJobDisableOptions: forceAfterSeconds int
DataDisk: storageAccountType string
"""


def _parsed(text: str) -> dict[str, dict[str, str]]:
    shapes: dict[str, dict[str, str]] = {}
    for entry in text.replace("\n    ", " ").strip().splitlines():
        name, _, properties = entry.partition(": ")
        pairs = (item.split(" ", 1) for item in properties.split(", ") if item)
        shapes[name] = dict(pairs)
    return shapes


SHAPES: Final = _parsed(_TYPES)
"""Type -> property (with `!` when required) -> type, for api-version 2025-06-01."""

OLDER: Final = _parsed(_OLDER)
"""What older api-versions have besides."""
