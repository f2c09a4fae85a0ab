import { parityTests } from "./suite.ts";

parityTests("rotation");
