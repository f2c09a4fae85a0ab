import { parityTests } from "./suite.ts";

parityTests("banded");
