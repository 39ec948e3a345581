/*
 * A Vulkan driver that shows Mesa's software device as cards on the bus, so that choosing among several GPUs can be tried without any.
 * Compiled by play_cards.ts with
 *   REAL        the software device's library
 *   NAME        what the cards are called
 *   MODELS      PCI's numbers of their models, such as 0x2335,0x2335
 *   BUSES       their places on the bus, such as 0x65,0x66
 *   MIB         memory of each, in MiB
 *   FREE        what of it is free, by card, such as 3000,4000
 * Whoever makes a device of a card is noted in the file that CARD_LOG names. CARD_LOST=FILE: the device is lost once that file is there.
 * CARD_ROOM=N: the cards have N MiB. Offsets are those of Vulkan's structures on 64-bit systems.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))

typedef void *(*Find)(void *, const char *);
typedef struct Chain {
  uint32_t type;
  struct Chain *next;
} Chain;

static const uint32_t buses[] = {BUSES};
static const uint32_t models[] = {MODELS};
static const uint64_t free_mib[] = {FREE};
#define CARDS (sizeof buses / sizeof *buses)

/* Each card is the device of an instance of its own, since the software device gives one alone. */
static struct Played {
  void *instances[CARDS];
  void *devices[CARDS];
} played[64];

static void *symbol(const char *name) {
  static void *library;
  if (!library) library = dlopen(REAL, RTLD_NOW | RTLD_LOCAL);
  return library ? dlsym(library, name) : NULL;
}

static void *real(const char *name) {
  void *instance = NULL;
  for (int i = 0; i < 64 && !instance; i++) instance = played[i].instances[0];
  return ((Find)symbol("vk_icdGetInstanceProcAddr"))(instance, name);
}

static struct Played *played_by(void *instance) {
  for (int i = 0; i < 64; i++) {
    if (played[i].instances[0] == instance) return &played[i];
  }
  return NULL;
}

static size_t card_of(void *device) {
  for (int i = 0; i < 64; i++) {
    for (size_t k = 0; k < CARDS; k++) {
      if (played[i].devices[k] == device) return k;
    }
  }
  return 0;
}

static int32_t create_instance(const void *info, const void *allocator, void **out) {
  int32_t (*create)(const void *, const void *, void **) = real("vkCreateInstance");
  struct Played *free = played_by(NULL);
  for (size_t k = 0; free && k < CARDS; k++) {
    int32_t result = create(info, allocator, &free->instances[k]);
    if (result) return result;
    int32_t (*list)(void *, uint32_t *, void **) = real("vkEnumeratePhysicalDevices");
    uint32_t one = 1;
    list(free->instances[k], &one, &free->devices[k]);
  }
  *out = free ? free->instances[0] : NULL;
  return free ? 0 : -1;
}

static void destroy_instance(void *instance, const void *allocator) {
  struct Played *of = played_by(instance);
  void (*destroy)(void *, const void *) = real("vkDestroyInstance");
  for (size_t k = 0; of && k < CARDS; k++) destroy(of->instances[k], allocator);
  if (of) memset(of, 0, sizeof *of);
}

static int32_t list_devices(void *instance, uint32_t *count, void **out) {
  struct Played *of = played_by(instance);
  uint32_t room = *count;
  *count = CARDS;
  if (out && room < CARDS) return 5; /* VK_INCOMPLETE */
  if (out) memcpy(out, of->devices, sizeof of->devices);
  return 0;
}

static void put(void *at, size_t offset, uint32_t value) {
  memcpy((char *)at + offset, &value, 4);
}

/* VkPhysicalDeviceProperties: numbers of maker and model, the type (2 is a card), the name. */
static void dress(void *device, void *properties) {
  put(properties, 8, 0x10de);
  put(properties, 12, models[card_of(device)]);
  put(properties, 16, 2);
  strcpy((char *)properties + 20, NAME);
}

static void properties(void *device, void *out) {
  ((void (*)(void *, void *))real("vkGetPhysicalDeviceProperties"))(device, out);
  dress(device, out);
}

static void properties2(void *device, Chain *out) {
  ((void (*)(void *, void *))real("vkGetPhysicalDeviceProperties2"))(device, out);
  dress(device, (char *)out + 16);
  for (Chain *part = out->next; part; part = part->next) {
    if (part->type == 1000212000) { /* VkPhysicalDevicePCIBusInfoPropertiesEXT */
      for (size_t at = 16; at < 32; at += 4) put(part, at, at == 20 ? buses[card_of(device)] : 0);
    } else if (part->type == 1000071004) { /* VkPhysicalDeviceIDProperties */
      ((uint8_t *)part)[31] = buses[card_of(device)];
    } else if (part->type == 1000196000) { /* VkPhysicalDeviceDriverProperties */
      strcpy((char *)part + 20, "played");
    }
  }
}

static void memory2(void *device, Chain *out) {
  ((void (*)(void *, void *))real("vkGetPhysicalDeviceMemoryProperties2"))(device, out);
  uint64_t sizes[2] = {(uint64_t)MIB << 20, free_mib[card_of(device)] << 20};
  memcpy((char *)out + 280, &sizes[0], 8);
  for (Chain *part = out->next; part; part = part->next) {
    if (part->type == 1000237000) memcpy((char *)part + 16, &sizes[1], 8); /* VkPhysicalDeviceMemoryBudgetPropertiesEXT */
  }
}

static const char *own[] = {"VK_EXT_pci_bus_info", "VK_EXT_memory_budget"};

static int is_own(const char *extension) {
  return !strcmp(extension, own[0]) || !strcmp(extension, own[1]);
}

/* What the software device has, and two more. */
static int32_t extensions(void *device, const char *layer, uint32_t *count, char *out) {
  int32_t (*list)(void *, const char *, uint32_t *, char *) = real("vkEnumerateDeviceExtensionProperties");
  if (layer) return list(device, layer, count, out);
  uint32_t known = 0;
  list(device, NULL, &known, NULL);
  if (out && *count >= known + 2) {
    list(device, NULL, &known, out);
    memset(out + 260 * known, 0, 260 * 2);
    for (int i = 0; i < 2; i++) strcpy(out + 260 * (known + i), own[i]);
  }
  *count = known + 2;
  return 0;
}

/* The software device must not be asked for what is only played. */
static int32_t create_device(void *device, const char *info, const void *allocator, void *out) {
  const char *path = getenv("CARD_LOG");
  FILE *log = path ? fopen(path, "a") : NULL;
  if (log) {
    fprintf(log, "%02x\n", buses[card_of(device)]);
    fclose(log);
  }
  char copy[72]; /* VkDeviceCreateInfo */
  memcpy(copy, info, 72);
  uint32_t count, kept = 0;
  const char **names, *left[256];
  memcpy(&count, info + 48, 4);
  memcpy(&names, info + 56, 8);
  for (uint32_t i = 0; i < count && kept < 256; i++) {
    if (!is_own(names[i])) left[kept++] = names[i];
  }
  names = left;
  memcpy(copy + 48, &kept, 4);
  memcpy(copy + 56, &names, 8);
  return ((int32_t(*)(void *, const void *, const void *, void *))real("vkCreateDevice"))(device, copy, allocator, out);
}

static int64_t setting(const char *name) {
  const char *text = getenv(name);
  return text ? atoll(text) : -1;
}

static void *device_function(void *device, const char *name) {
  return ((void *(*)(void *, const char *))real("vkGetDeviceProcAddr"))(device, name);
}

static void *last_device;

static int32_t submit(void *queue, uint32_t count, const void *infos, uint64_t fence) {
  const char *lost = getenv("CARD_LOST");
  if (lost && !access(lost, F_OK)) return -4; /* VK_ERROR_DEVICE_LOST */
  int32_t (*go)(void *, uint32_t, const void *, uint64_t) = device_function(last_device, "vkQueueSubmit");
  return go(queue, count, infos, fence);
}

static struct Allocation {
  uint64_t memory;
  int64_t bytes;
} allocations[65536];
static int64_t allocated;

static int32_t allocate(void *device, const char *info, const void *allocator, uint64_t *out) {
  int64_t bytes, room = setting("CARD_ROOM");
  memcpy(&bytes, info + 16, 8);
  if (room >= 0 && allocated + bytes > room << 20) return -2; /* VK_ERROR_OUT_OF_DEVICE_MEMORY */
  int32_t (*go)(void *, const void *, const void *, uint64_t *) = device_function(device, "vkAllocateMemory");
  int32_t result = go(device, info, allocator, out);
  for (int i = 0; !result && i < 65536; i++) {
    if (allocations[i].memory) continue;
    allocations[i] = (struct Allocation){*out, bytes};
    allocated += bytes;
    break;
  }
  return result;
}

static void release(void *device, uint64_t memory, const void *allocator) {
  for (int i = 0; memory && i < 65536; i++) {
    if (allocations[i].memory != memory) continue;
    allocated -= allocations[i].bytes;
    allocations[i] = (struct Allocation){0, 0};
  }
  ((void (*)(void *, uint64_t, const void *))device_function(device, "vkFreeMemory"))(device, memory, allocator);
}

static void *device_function_played(void *device, const char *name) {
  last_device = device;
  if (!strcmp(name, "vkQueueSubmit")) return submit;
  if (!strcmp(name, "vkAllocateMemory")) return allocate;
  if (!strcmp(name, "vkFreeMemory")) return release;
  return device_function(device, name);
}

static void *played_function(const char *name) {
  static const struct {
    const char *name;
    void *function;
  } all[] = {
      {"vkGetDeviceProcAddr", device_function_played},
      {"vkCreateInstance", create_instance},
      {"vkDestroyInstance", destroy_instance},
      {"vkEnumeratePhysicalDevices", list_devices},
      {"vkGetPhysicalDeviceProperties", properties},
      {"vkGetPhysicalDeviceProperties2", properties2},
      {"vkGetPhysicalDeviceProperties2KHR", properties2},
      {"vkGetPhysicalDeviceMemoryProperties2", memory2},
      {"vkGetPhysicalDeviceMemoryProperties2KHR", memory2},
      {"vkEnumerateDeviceExtensionProperties", extensions},
      {"vkCreateDevice", create_device},
  };
  for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
    if (!strcmp(name, all[i].name)) return all[i].function;
  }
  return NULL;
}

EXPORT void *vk_icdGetInstanceProcAddr(void *instance, const char *name) {
  void *function = played_function(name);
  Find find = (Find)symbol("vk_icdGetInstanceProcAddr");
  return function || !find ? function : find(instance, name);
}

EXPORT void *vk_icdGetPhysicalDeviceProcAddr(void *instance, const char *name) {
  Find find = (Find)symbol("vk_icdGetPhysicalDeviceProcAddr");
  void *function = find ? find(instance, name) : NULL;
  return function ? (played_function(name) ? played_function(name) : function) : NULL;
}

EXPORT int32_t vk_icdNegotiateLoaderICDInterfaceVersion(uint32_t *version) {
  int32_t (*negotiate)(uint32_t *) = symbol("vk_icdNegotiateLoaderICDInterfaceVersion");
  return negotiate ? negotiate(version) : -1;
}
