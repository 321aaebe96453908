#include "ringweir/app/command.h"

int main(int argc, char** argv) { return ringweir::app::run(argc, argv); }
